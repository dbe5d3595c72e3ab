"use strict";
const EACH = 65_536;
function fnv(bytes, from = 0x811c9dc5) {
	let sum = from;
	for (const byte of bytes)
		sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
	return sum;
}
async function markOf(file) {
	const first = await file.slice(0, EACH).arrayBuffer();
	const last = await file.slice(Math.max(0, file.size - EACH)).arrayBuffer();
	return fnv(new Uint8Array(last), fnv(new Uint8Array(first))).toString(16);
}
const isSame = (begun, name, size, mark) => begun.name === name && begun.size === size && begun.mark === mark;
const PIECE = 4 << 20;
const WITH = { "Tus-Resumable": "1.0.0" };
const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
async function ask(path, method, headers, body) {
	try {
		const init = { method, headers: { ...WITH, ...headers }, redirect: "manual", cache: "no-store" };
		return await fetch(path, body ? { ...init, body } : init);
	}
	catch {
		return null;
	}
}
async function toldBy(answer) {
	if (!answer)
		return { is: "wait" };
	if (answer.type === "opaqueredirect")
		return { is: "signedOut" };
	if (answer.status === 404 || answer.status === 410)
		return { is: "gone" };
	if ([408, 409, 423, 429, 460].includes(answer.status) || (answer.status >= 500 && answer.status !== 507))
		return { is: "wait" };
	const said = await answer.json().catch(() => null);
	const why = said && typeof said === "object" && "detail" in said && typeof said.detail === "string" ? said.detail : "";
	if (answer.status === 403 && !why)
		return { is: "refused" };
	return { is: "over", why: why || `HTTP ${answer.status}` };
}
const offsetOf = (answer) => ({ is: "at", offset: Number(answer.headers.get("Upload-Offset")) });
async function begin(facts, size) {
	const metadata = `facts ${base64(new TextEncoder().encode(facts))}`;
	const answer = await ask("/import/uploads", "POST", { "Upload-Length": String(size), "Upload-Metadata": metadata });
	const at = answer?.status === 201 ? answer.headers.get("Location") : null;
	return at ? { at } : toldBy(answer);
}
async function place(at) {
	const answer = await ask(at, "HEAD", {});
	return answer?.ok ? offsetOf(answer) : toldBy(answer);
}
async function send(at, file, offset) {
	const piece = file.slice(offset, offset + PIECE);
	const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
	if (globalThis.crypto?.subtle) {
		const sum = await crypto.subtle.digest("SHA-256", await piece.arrayBuffer());
		headers["Upload-Checksum"] = `sha256 ${base64(new Uint8Array(sum))}`;
	}
	const answer = await ask(at, "PATCH", headers, piece);
	return answer?.ok ? offsetOf(answer) : toldBy(answer);
}
async function cancel(at) {
	await ask(at, "DELETE", {});
}
async function isWorking(at) {
	const answer = await ask(at, "GET", {});
	if (!answer?.ok)
		return answer === null;
	const said = await answer.json().catch(() => null);
	return Boolean(said && typeof said === "object" && "state" in said && said.state === "working");
}
const KEPT = "voicelog-upload";
const PAUSE = 1_000;
const PAUSE_MOST = 15_000;
const pause = (ms) => new Promise((done) => {
	const timer = setTimeout(() => back(), ms);
	const back = () => {
		clearTimeout(timer);
		removeEventListener("online", back);
		done();
	};
	addEventListener("online", back);
});
function remembered() {
	try {
		return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
	}
	catch {
		return null;
	}
}
function remember(begun) {
	try {
		if (begun)
			sessionStorage.setItem(KEPT, JSON.stringify(begun));
		else
			sessionStorage.removeItem(KEPT);
	}
	catch {
	}
}
const found = (id) => document.getElementById(id);
class Upload {
	card = found("upload");
	note = found("upload-note");
	file = found("upload-file");
	bar = found("upload-bar");
	status = found("upload-status");
	button = found("upload-send");
	stop = found("upload-cancel");
	begun = null;
	async start() {
		this.button.addEventListener("click", () => void this.run());
		this.stop.addEventListener("click", () => void this.cancel());
		const begun = remembered();
		if (begun)
			await this.find(begun);
		this.card.hidden = !this.begun && !this.card.dataset.facts;
	}
	async find(begun) {
		const told = await place(begun.at);
		if (told.is === "gone" || (told.is === "at" && told.offset === begun.size)) {
			remember(null);
			if (told.is === "at")
				location.assign(pageOf(begun.at));
			return;
		}
		this.begun = begun;
		this.note.textContent = this.say("goOn", { name: begun.name });
		this.note.hidden = false;
		this.stop.hidden = false;
		if (told.is === "at")
			this.show("sending", told.offset);
	}
	say(key, values = {}) {
		const text = this.card.dataset[key] ?? "";
		return text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");
	}
	show(key, offset) {
		const size = this.begun?.size ?? 0;
		const percent = size > 0 ? Math.floor((100 * offset) / size) : 0;
		this.bar.hidden = false;
		this.bar.value = percent;
		this.tell(this.say(key, { percent: String(key === "sending" ? percent - (percent % 10) : percent) }));
	}
	tell(text) {
		if (this.status.textContent !== text)
			this.status.textContent = text;
	}
	async run() {
		const file = this.file.files?.[0];
		if (!file) {
			this.tell(this.say("choose"));
			this.file.focus();
			return;
		}
		const mark = await markOf(file);
		if (this.begun && !isSame(this.begun, file.name, file.size, mark)) {
			this.tell(this.say("other", { name: this.begun.name }));
			return;
		}
		this.busy(true);
		if (!this.begun) {
			const begun = await begin(this.card.dataset.facts ?? "", file.size);
			if (!("at" in begun)) {
				this.over(begun);
				return;
			}
			this.begun = { at: begun.at, name: file.name, size: file.size, mark };
			remember(this.begun);
		}
		this.note.hidden = true;
		await this.bring(this.begun, file);
	}
	async bring(begun, file) {
		let wait = PAUSE;
		let told = await place(begun.at);
		let offset = 0;
		while (this.begun === begun) {
			if (told.is === "at") {
				if (told.offset > offset)
					wait = PAUSE;
				offset = told.offset;
				this.show("sending", offset);
				if (offset === begun.size)
					break;
				told = await send(begun.at, file, offset);
			}
			else if (told.is === "wait") {
				this.show("waiting", offset);
				await pause(wait);
				wait = Math.min(2 * wait, PAUSE_MOST);
				if (this.begun === begun)
					told = await place(begun.at);
			}
			else {
				this.over(told);
				return;
			}
		}
		if (this.begun === begun)
			await this.follow(begun);
	}
	async follow(begun) {
		this.stop.hidden = true;
		this.tell(this.say("working"));
		while (await isWorking(begun.at))
			await pause(PAUSE);
		remember(null);
		location.assign(pageOf(begun.at));
	}
	busy(is) {
		this.file.disabled = is;
		this.button.hidden = is;
		this.stop.hidden = !is && !this.begun;
	}
	over(told) {
		if (told.is !== "signedOut") {
			this.begun = null;
			remember(null);
		}
		this.busy(false);
		this.bar.hidden = true;
		this.tell(told.is === "over" ? told.why : this.say(told.is));
	}
	async cancel() {
		const begun = this.begun;
		this.begun = null;
		remember(null);
		if (begun)
			await cancel(begun.at);
		this.tell(this.say("cancelled"));
		this.note.hidden = true;
		this.bar.hidden = true;
		this.busy(false);
	}
}
const pageOf = (at) => at.replace("/import/uploads/", "/import/");
void new Upload().start();
