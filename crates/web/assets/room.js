"use strict";
const ATTENDANCE = {
	silent: 10 * 60_000,
	untouched: 30 * 60_000,
	answer: 3 * 60_000,
};
class Attendance {
	limits;
	heardAt;
	touchedAt;
	askedAt = null;
	isStopped = false;
	constructor(now, limits = ATTENDANCE) {
		this.limits = limits;
		this.heardAt = now;
		this.touchedAt = now;
	}
	heard(now) {
		this.heardAt = now;
	}
	touched(now) {
		this.heardAt = now;
		this.touchedAt = now;
		this.askedAt = null;
		this.isStopped = false;
	}
	due(now) {
		if (this.isStopped)
			return null;
		if (this.askedAt !== null) {
			this.isStopped = now - this.askedAt >= this.limits.answer;
			return this.isStopped ? "stop" : null;
		}
		const isAlone = now - this.heardAt >= this.limits.silent || now - this.touchedAt >= this.limits.untouched;
		if (!isAlone)
			return null;
		this.askedAt = now;
		return "ask";
	}
	rests(now) {
		this.heardAt = now;
		if (!this.isStopped)
			this.askedAt = null;
	}
}
const JUMP = 1_000_000;
const NUDGE = 0.5;
class TrackClock {
	zero;
	target;
	since;
	isUsed = false;
	constructor(first) {
		this.zero = first.answered * 1_000 - first.serverNow;
		this.target = this.zero;
		this.since = first.answered;
	}
	compare({ asked, serverNow, answered }) {
		const [earliest, latest] = [asked * 1_000 - serverNow, answered * 1_000 - serverNow];
		const before = this.zeroAt(answered);
		this.target = Math.min(latest, Math.max(earliest, this.target));
		const isJump = this.isUsed && Math.abs(before - this.target) > JUMP;
		this.zero = isJump || !this.isUsed ? this.target : before;
		this.since = answered;
		return isJump ? before - this.target : 0;
	}
	at(ms) {
		this.isUsed = true;
		return Math.round(ms * 1_000 - this.zeroAt(ms));
	}
	zeroAt(ms) {
		const most = Math.max(0, ms - this.since) * NUDGE;
		return this.zero + Math.max(-most, Math.min(most, this.target - this.zero));
	}
}
const SLEPT = 1_000;
class SleepWatch {
	lastMs;
	lead;
	constructor(lastMs, wall) {
		this.lastMs = lastMs;
		this.lead = wall - lastMs;
	}
	maySleep(ms, wall) {
		const lead = wall - ms;
		const isLate = lead - this.lead > SLEPT;
		this.lead = lead;
		if (!isLate)
			this.lastMs = ms;
		return isLate;
	}
}
const STOOD_STILL = 500;
const WINDOW = 5_000;
class SoundClock {
	rate;
	offset = null;
	before = Infinity;
	earliest = Infinity;
	windowFrom = 0;
	lastFrame = 0;
	lastWall = 0;
	constructor(rate) {
		this.rate = rate;
	}
	capturedAt(frame, arrived, wall) {
		const sound = (frame * 1_000) / this.rate;
		const passed = ((frame - this.lastFrame) * 1_000) / this.rate;
		const stood = this.offset !== null && Math.abs(wall - this.lastWall - passed) > STOOD_STILL;
		const candidate = arrived - sound;
		if (stood || sound - this.windowFrom >= WINDOW) {
			this.before = stood ? Infinity : this.earliest;
			this.earliest = Infinity;
			this.windowFrom = sound;
		}
		this.earliest = Math.min(this.earliest, candidate);
		this.offset = Math.min(this.before, this.earliest);
		this.lastFrame = frame;
		this.lastWall = wall;
		return sound + this.offset;
	}
	timeOf(frame) {
		return (frame * 1_000) / this.rate + (this.offset ?? 0);
	}
}
const NO_CHAIN = "0".repeat(64);
function hexOf(bytes) {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
function bytesOfHex(text) {
	if (!/^([0-9a-f]{2})*$/.test(text))
		throw new Error("not hexadecimal");
	return Uint8Array.from({ length: text.length / 2 }, (_, place) => parseInt(text.slice(place * 2, place * 2 + 2), 16));
}
function base64Of(bytes) {
	return btoa(String.fromCharCode(...bytes));
}
function joined(parts) {
	const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let place = 0;
	for (const part of parts) {
		whole.set(part, place);
		place += part.length;
	}
	return whole;
}
async function sha256(bytes) {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
const DOUBT_MAX = 120_000;
class Placing {
	track;
	clock;
	doubt = null;
	waiting = [];
	constructor(track, clock) {
		this.track = track;
		this.clock = clock;
	}
	get isInDoubt() {
		return this.doubt !== null;
	}
	mayHaveSlept(from, now, reason) {
		this.doubt ??= { from, until: now + DOUBT_MAX, reason };
	}
	packet(packet, ms) {
		if (this.doubt && ms > this.doubt.until)
			this.release();
		if (this.doubt && ms > this.doubt.from)
			this.waiting.push({ packet, ms });
		else
			this.track.packet(packet, this.clock.at(ms));
	}
	interrupt(reason) {
		if (this.waiting.length > 0)
			this.waiting.push({ reason });
		else
			this.track.interrupt(reason);
	}
	compare(answer) {
		const moved = this.clock.compare(answer);
		if (moved !== 0)
			this.track.interrupt(this.doubt?.reason ?? "other");
		this.release();
		return moved;
	}
	release() {
		this.doubt = null;
		const waiting = this.waiting;
		this.waiting = [];
		for (const one of waiting) {
			if ("reason" in one)
				this.track.interrupt(one.reason);
			else
				this.track.packet(one.packet, this.clock.at(one.ms));
		}
	}
}
class RtpStream {
	payloadType;
	ssrc;
	firstTimestamp;
	sequence;
	constructor(payloadType, random) {
		this.payloadType = payloadType;
		this.ssrc = random() >>> 0;
		this.firstTimestamp = random() >>> 0;
		this.sequence = random() & 0xffff;
	}
	packet(payload, sample) {
		const bytes = new Uint8Array(12 + payload.length);
		const view = new DataView(bytes.buffer);
		bytes[0] = 0x80;
		bytes[1] = this.payloadType;
		view.setUint16(2, this.sequence);
		view.setUint32(4, (this.firstTimestamp + sample) % 2 ** 32);
		view.setUint32(8, this.ssrc);
		bytes.set(payload, 12);
		this.sequence = (this.sequence + 1) & 0xffff;
		return bytes;
	}
}
const MAGIC = new TextEncoder().encode("VLRC");
const HEAD = 4 + 1 + 4 + 32;
const CHUNK_MAX = 262_144;
function lengthOf(packet) {
	return ((packet[1] ?? 0) & 0x7f) === 112 ? 10_000 : 20_000;
}
function encodedFrame(frame) {
	const content = "packet" in frame ? frame.packet : new TextEncoder().encode(JSON.stringify(frame.mark));
	const bytes = new Uint8Array(11 + content.length);
	const view = new DataView(bytes.buffer);
	bytes[0] = "packet" in frame ? 1 : 2;
	view.setBigInt64(1, BigInt(Math.round(frame.captured)));
	view.setUint16(9, content.length);
	bytes.set(content, 11);
	return bytes;
}
class ChunkBuilder {
	frames = [];
	size = HEAD;
	first = null;
	last = 0;
	sound = 0;
	fits(length) {
		return this.size + 11 + length <= CHUNK_MAX;
	}
	push(frame) {
		const bytes = encodedFrame(frame);
		this.frames.push(bytes);
		this.size += bytes.length;
		this.first ??= frame.captured;
		this.last = frame.captured;
		if ("packet" in frame)
			this.sound += lengthOf(frame.packet);
	}
	pushBytes(bytes, captured, sound) {
		this.sound += sound;
		this.frames.push(bytes);
		this.size += bytes.length;
		this.first ??= captured;
		this.last = captured;
	}
	get isEmpty() {
		return this.frames.length === 0;
	}
	get span() {
		return this.first === null ? 0 : this.last - this.first;
	}
	bytes() {
		return joined(this.frames);
	}
	build(number, chain) {
		const head = new Uint8Array(9);
		head.set(MAGIC);
		head[4] = 1;
		new DataView(head.buffer).setUint32(5, number);
		return joined([head, bytesOfHex(chain), ...this.frames]);
	}
}
const CHUNK_SPAN = 1_000_000;
class Track {
	spool;
	onSealed;
	onTrouble;
	track;
	next;
	chain;
	captured;
	open = new ChunkBuilder();
	sealing = Promise.resolve();
	isInterrupted = false;
	constructor(place, spool, onSealed, onTrouble) {
		this.spool = spool;
		this.onSealed = onSealed;
		this.onTrouble = onTrouble;
		this.track = place.track;
		this.next = place.next;
		this.chain = place.chain;
		this.captured = place.captured;
	}
	packet(packet, captured) {
		if (captured < 0 || (this.isInterrupted && captured < (this.captured ?? 0)))
			return;
		const at = Math.max(captured, this.captured ?? 0);
		if (this.isInterrupted) {
			this.isInterrupted = false;
			this.push({ captured: at, mark: { mark: "resumed" } });
		}
		if (!this.open.fits(packet.length))
			this.seal();
		this.push({ captured: at, packet });
		if (this.open.span >= CHUNK_SPAN)
			this.seal();
	}
	interrupt(reason) {
		if (this.isInterrupted || this.captured === null)
			return;
		this.isInterrupted = true;
		this.push({ captured: this.captured, mark: { mark: "interrupted", reason } });
		this.seal();
	}
	takeTail({ bytes, captured, sound }) {
		this.open.pushBytes(bytes, captured, sound);
		this.captured = captured;
	}
	tail() {
		const { open, captured } = this;
		return open.isEmpty || captured === null ? null : { bytes: open.bytes(), captured, sound: open.sound };
	}
	seal() {
		if (this.open.isEmpty)
			return;
		const builder = this.open;
		const captured = this.captured;
		this.open = new ChunkBuilder();
		this.sealing = this.sealing
			.then(async () => {
			const number = this.next;
			const bytes = builder.build(number, this.chain);
			const digest = await sha256(bytes);
			this.next = number + 1;
			this.chain = hexOf(digest);
			await this.spool.put({ track: this.track, number, bytes, digest: base64Of(digest), chain: this.chain, captured, sound: builder.sound });
			this.onSealed();
		})
			.catch(this.onTrouble);
	}
	async finish() {
		this.seal();
		await this.sealing;
		return { chunks: this.next, chain: this.chain };
	}
	push(frame) {
		this.open.push(frame);
		this.captured = frame.captured;
	}
}
const FIRST = 500;
const MOST = 10_000;
class Backoff {
	random;
	failures = 0;
	constructor(random) {
		this.random = random;
	}
	succeeded() {
		this.failures = 0;
	}
	next(asked) {
		const most = Math.min(MOST, FIRST * 2 ** Math.min(this.failures, 10));
		this.failures += 1;
		return Math.max(asked ?? 0, most * (0.5 + this.random() / 2));
	}
}
class Alarm {
	wake = null;
	isRung = false;
	ring() {
		this.isRung = true;
		this.wake?.();
	}
	async wait(ms) {
		if (!this.isRung) {
			await new Promise((resolve) => {
				const timer = ms === null ? undefined : setTimeout(resolve, ms);
				this.wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		}
		this.wake = null;
		this.isRung = false;
	}
}
class Unreachable extends Error {
	wait;
	constructor(message, wait = null) {
		super(message);
		this.wait = wait;
	}
}
class Refused extends Error {
	status;
	problem;
	constructor(status, problem) {
		super(problem.detail ?? problem.title ?? `status ${status}`);
		this.status = status;
		this.problem = problem;
	}
}
const ANSWER_MAX = 40_000;
class Server {
	room;
	formToken;
	fetch;
	constructor(room, formToken, fetch) {
		this.room = room;
		this.formToken = formToken;
		this.fetch = fetch;
	}
	async ask(method, path, body, headers = {}) {
		let response;
		let answer;
		try {
			const init = {
				method,
				headers: { accept: "application/json", "x-form-token": this.formToken, ...headers },
				cache: "no-store",
				credentials: "same-origin",
				redirect: "error",
				signal: AbortSignal.timeout(ANSWER_MAX),
			};
			if (body !== undefined)
				init.body = body;
			response = await this.fetch(`/rooms/${this.room}${path}`, init);
			answer = await response.json().catch(() => ({}));
		}
		catch (error) {
			throw new Unreachable(String(error));
		}
		if (response.ok)
			return answer;
		const busy = response.status === 408 || response.status === 429 || response.status >= 500;
		if (!busy)
			throw new Refused(response.status, answer);
		const wait = Number(response.headers.get("retry-after"));
		throw new Unreachable(`status ${response.status}`, wait > 0 ? wait * 1_000 : null);
	}
	post(path, body) {
		return this.ask("POST", path, JSON.stringify(body), { "content-type": "application/json" });
	}
	state(after) {
		return this.ask("GET", `/state?after=${after}`);
	}
	async notice() {
		const response = await this.fetch(`/rooms/${this.room}/notice`, { method: "GET" });
		if (!response.ok)
			throw new Unreachable(`status ${response.status}`);
		return response.arrayBuffer();
	}
	choose(choice) {
		return this.post("/choice", { choice });
	}
	act(act) {
		return this.post("/acts", { act });
	}
	openTrack(codec, payloadType) {
		return this.post("/tracks", { codec, payload_type: payloadType });
	}
	track(track) {
		return this.ask("GET", `/tracks/${track}`);
	}
	putChunk(track, number, bytes, digest) {
		const headers = { "content-type": "application/octet-stream", "content-digest": `sha-256=:${digest}:` };
		return this.ask("PUT", `/tracks/${track}/chunks/${number}`, bytes, headers);
	}
	endTrack(track, chunks, chain) {
		return this.post(`/tracks/${track}/end`, { chunks, chain });
	}
}
async function leaveTrack(spool, track, [from, until], why) {
	let sound = 0;
	for (let number = from; number < until; number += 1)
		sound += (await spool.get(track, number))?.sound ?? 0;
	if (sound === 0 && why !== "torn")
		await spool.finished(track);
	else
		await spool.leave({ track, why, sound });
}
class MemorySpool {
	chunks = new Map();
	place;
	end;
	stays = [];
	async put(chunk) {
		this.chunks.set(`${chunk.track}/${chunk.number}`, chunk);
		this.place = { track: chunk.track, next: chunk.number + 1, chain: chunk.chain, captured: chunk.captured };
		this.end = undefined;
	}
	async get(track, number) {
		return this.chunks.get(`${track}/${number}`);
	}
	async release(track, before) {
		for (const [key, chunk] of this.chunks)
			if (chunk.track === track && chunk.number < before)
				this.chunks.delete(key);
	}
	async kept() {
		return this.place;
	}
	async keep(kept) {
		this.place = kept;
	}
	async keepTail(tail) {
		this.end = tail;
	}
	async tail() {
		return this.end;
	}
	async count(track) {
		return [...this.chunks.values()].filter((chunk) => chunk.track === track).length;
	}
	async finished(track) {
		await this.release(track, Infinity);
		this.forget(track);
	}
	async leave(left) {
		this.stays.push(left);
		this.forget(left.track);
	}
	async left() {
		return this.stays;
	}
	forget(track) {
		if (this.place?.track === track)
			this.place = undefined;
		if (this.end?.track === track)
			this.end = undefined;
	}
	get size() {
		return this.chunks.size;
	}
}
const OVERFLOW_MAX = 120;
class PatientSpool {
	inner;
	onFull;
	over = new MemorySpool();
	wasFull = false;
	constructor(inner, onFull) {
		this.inner = inner;
		this.onFull = onFull;
	}
	async isTooFull() {
		return this.over.size >= OVERFLOW_MAX;
	}
	told(isFull) {
		if (isFull !== this.wasFull)
			this.onFull(isFull);
		this.wasFull = isFull;
	}
	async put(chunk) {
		try {
			await this.inner.put(chunk);
		}
		catch {
			await this.over.put(chunk);
			this.told(true);
		}
	}
	async get(track, number) {
		return (await this.over.get(track, number)) ?? this.inner.get(track, number);
	}
	async release(track, before) {
		await this.over.release(track, before);
		await this.inner.release(track, before);
		if (this.over.size === 0)
			this.told(false);
	}
	kept() {
		return this.inner.kept();
	}
	async keep(kept) {
		await this.inner.keep(kept).catch(() => this.told(true));
	}
	async keepTail(tail) {
		await this.inner.keepTail(tail);
	}
	tail() {
		return this.inner.tail();
	}
	async count(track) {
		return (await this.over.count(track)) + (await this.inner.count(track));
	}
	async finished(track) {
		await this.over.finished(track);
		await this.inner.finished(track);
		if (this.over.size === 0)
			this.told(false);
	}
	leave(left) {
		return this.inner.leave(left);
	}
	left() {
		return this.inner.left();
	}
}
async function timed(ask) {
	const asked = performance.now();
	const answer = await ask;
	return { answer, time: { asked, serverNow: answer.now_us, answered: performance.now() } };
}
async function leave(spool, kept, tail, from, why) {
	let until = kept.next;
	if (tail) {
		const track = new Track(kept, spool, () => { }, () => { });
		track.takeTail(tail);
		until = (await track.finish()).chunks;
	}
	await leaveTrack(spool, kept.track, [from, until], why);
}
async function isWhole(kept, from, spool) {
	for (let number = from; number < kept.next; number += 1) {
		if ((await spool.get(kept.track, number)) === undefined)
			return false;
	}
	return true;
}
async function resume(server, spool) {
	const kept = await spool.kept();
	if (!kept)
		return null;
	const ownTail = await spool.tail();
	const tail = ownTail?.track === kept.track ? ownTail : null;
	let told;
	try {
		told = await timed(server.track(kept.track));
	}
	catch (error) {
		if (!(error instanceof Refused) || error.status !== 404)
			throw error;
		await server.state(0);
		await leave(spool, kept, tail, 0, "not_yours");
		return null;
	}
	const { next, chain, is_open } = told.answer;
	if (is_open === false) {
		await leave(spool, kept, tail, next, "too_late");
		return null;
	}
	if (next > kept.next) {
		return { ...told, wanted: next, place: { track: kept.track, next, chain, captured: kept.captured }, tail: null };
	}
	if (!(await isWhole(kept, next, spool))) {
		await leave(spool, kept, tail, next, "torn");
		return null;
	}
	return { ...told, wanted: next, place: { ...kept }, tail };
}
const AGAIN_MAX = 5;
const UNKNOWN_WAIT = 10_000;
class Sender {
	track;
	next;
	server;
	spool;
	events;
	alarm = new Alarm();
	backoff;
	end = null;
	isStopped = false;
	isReachable = true;
	again = 0;
	constructor(track, next, server, spool, events, random = Math.random) {
		this.track = track;
		this.next = next;
		this.server = server;
		this.spool = spool;
		this.events = events;
		this.backoff = new Backoff(random);
	}
	wake() {
		this.alarm.ring();
	}
	finish(end) {
		this.end = end;
		this.alarm.ring();
	}
	stop() {
		this.isStopped = true;
		this.alarm.ring();
	}
	async run() {
		while (!this.isStopped) {
			try {
				const outcome = await this.step();
				if (outcome)
					return outcome;
				this.backoff.succeeded();
				this.again = 0;
				this.reached(true);
			}
			catch (error) {
				if (error instanceof Refused) {
					const outcome = await this.refused(error);
					if (outcome)
						return outcome;
				}
				else if (error instanceof Unreachable) {
					this.reached(false);
					await this.alarm.wait(this.backoff.next(error.wait));
				}
				else {
					await this.alarm.wait(this.backoff.next(null));
				}
			}
		}
		return "stopped";
	}
	reached(isReachable) {
		if (isReachable === this.isReachable)
			return;
		this.isReachable = isReachable;
		if (isReachable)
			this.events.onReachable();
		else
			this.events.onUnreachable();
	}
	async step() {
		const chunk = await this.spool.get(this.track, this.next);
		if (chunk) {
			const answer = await this.server.putChunk(this.track, chunk.number, chunk.bytes, chunk.digest);
			await this.acknowledged(answer.next);
			return null;
		}
		if (this.end && this.next >= this.end.chunks) {
			await this.server.endTrack(this.track, this.end.chunks, this.end.chain);
			return "all_there";
		}
		if (this.end)
			return "torn";
		await this.alarm.wait(null);
		return null;
	}
	async acknowledged(next) {
		this.next = next;
		await this.spool.release(this.track, next);
		this.events.onSent(await this.spool.count(this.track));
	}
	async refused({ status, problem: { next } }) {
		this.reached(true);
		if (status === 401 || status === 403 || status === 404)
			return this.unknown();
		if ((status === 400 || status === 422) && this.again < AGAIN_MAX) {
			this.again += 1;
			await this.alarm.wait(this.backoff.next(null));
			return null;
		}
		if (status === 409 && next !== undefined && next !== this.next) {
			const isHere = next > this.next || (await this.spool.get(this.track, next)) !== undefined;
			if (!isHere)
				return "torn";
			await this.acknowledged(next);
			return null;
		}
		return status === 410 ? "too_late" : "refused";
	}
	async unknown() {
		const isKnown = await this.server.state(0).then(() => true, () => false);
		if (isKnown)
			return "not_yours";
		await this.alarm.wait(UNKNOWN_WAIT);
		return null;
	}
}
function linear16(samples) {
	const bytes = new Uint8Array(samples.length * 2);
	const view = new DataView(bytes.buffer);
	samples.forEach((sample, place) => view.setInt16(place * 2, Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768)))));
	return bytes;
}
class SampleEncoder {
	onPayload;
	codec = "L16/48000";
	payloadType = 112;
	constructor(onPayload) {
		this.onPayload = onPayload;
	}
	take(samples, sample) {
		for (let start = 0; start + 480 <= samples.length; start += 480) {
			this.onPayload(linear16(samples.subarray(start, start + 480)), sample + start, 480);
		}
	}
	async finish() { }
	close() { }
}
const OPUS = {
	codec: "opus",
	sampleRate: 48_000,
	numberOfChannels: 1,
	bitrate: 40_000,
	opus: { frameDuration: 20_000, format: "opus" },
};
class OpusEncoder {
	codec = "opus/48000/2";
	payloadType = 111;
	encoder;
	under = [];
	constructor(onPayload, onTrouble) {
		this.encoder = new AudioEncoder({
			output: (chunk) => {
				const sample = this.under.shift();
				if (sample === undefined)
					return;
				const payload = new Uint8Array(chunk.byteLength);
				chunk.copyTo(payload);
				onPayload(payload, sample, 960);
			},
			error: onTrouble,
		});
		this.encoder.configure(OPUS);
	}
	take(samples, sample) {
		if (this.encoder.state !== "configured")
			return;
		const data = new AudioData({
			format: "f32-planar",
			sampleRate: 48_000,
			numberOfFrames: samples.length,
			numberOfChannels: 1,
			timestamp: Math.round((sample * 1_000) / 48),
			data: samples,
		});
		this.under.push(sample);
		this.encoder.encode(data);
		data.close();
	}
	async finish() {
		if (this.encoder.state === "configured")
			await this.encoder.flush();
	}
	close() {
		if (this.encoder.state !== "closed")
			this.encoder.close();
	}
}
async function hasOpus() {
	if (typeof AudioEncoder === "undefined")
		return false;
	const answer = await AudioEncoder.isConfigSupported(OPUS).catch(() => ({ supported: false }));
	return answer.supported === true;
}
function encoderOf(isOpus, onPayload, onTrouble) {
	return isOpus ? new OpusEncoder(onPayload, onTrouble) : new SampleEncoder(onPayload);
}
const NOTHING = 0.001;
const SILENCE_MAX = 10_000;
function peakOf(samples) {
	let peak = 0;
	for (const sample of samples)
		peak = Math.max(peak, Math.abs(sample));
	return peak;
}
function meterOf(peak) {
	return peak <= NOTHING ? 0 : Math.min(1, 1 + Math.log10(peak) / 3);
}
class SilenceAlarm {
	heardAt;
	isSilent = false;
	constructor(now) {
		this.heardAt = now;
	}
	heard(peak, now) {
		if (peak > NOTHING)
			this.heardAt = now;
	}
	reset(now) {
		this.heardAt = now;
		this.isSilent = false;
	}
	changed(now) {
		const isSilent = now - this.heardAt >= SILENCE_MAX;
		if (isSilent === this.isSilent)
			return null;
		this.isSilent = isSilent;
		return isSilent;
	}
}
class TabLock {
	name;
	unlock = null;
	isAsked = false;
	constructor(name) {
		this.name = name;
	}
	hold() {
		return new Promise((resolve) => (this.unlock = resolve));
	}
	async take(onFree) {
		if (this.unlock || !("locks" in navigator))
			return true;
		const got = await new Promise((resolve) => {
			void navigator.locks.request(this.name, { ifAvailable: true }, (lock) => {
				resolve(lock !== null);
				return lock === null ? undefined : this.hold();
			});
		});
		if (!got && !this.isAsked) {
			this.isAsked = true;
			void navigator.locks.request(this.name, () => {
				const held = this.hold();
				onFree();
				return held;
			});
		}
		return got;
	}
	release() {
		this.unlock?.();
		this.unlock = null;
	}
}
const WANTED = {
	audio: { channelCount: 1, sampleRate: 48_000, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
};
const RATE = 48_000;
async function askForMicrophone() {
	const stream = await navigator.mediaDevices.getUserMedia(WANTED);
	for (const track of stream.getTracks())
		track.stop();
}
class Microphone {
	stream;
	context;
	events;
	source;
	node;
	isClosed = false;
	constructor(stream, context, events) {
		this.stream = stream;
		this.context = context;
		this.events = events;
		this.source = context.createMediaStreamSource(stream);
		this.node = new AudioWorkletNode(context, "capture", { numberOfInputs: 1, numberOfOutputs: 1, channelCount: 1, channelCountMode: "explicit" });
		this.node.port.onmessage = (message) => {
			if (!this.isClosed)
				events.onBlock(message.data);
		};
		this.source.connect(this.node);
		this.node.connect(context.destination);
		this.listen();
	}
	static async open(capture, events) {
		const stream = await navigator.mediaDevices.getUserMedia(WANTED);
		try {
			const context = new AudioContext({ sampleRate: RATE, latencyHint: "balanced" });
			await context.audioWorklet.addModule(capture);
			return new Microphone(stream, context, events);
		}
		catch (error) {
			for (const track of stream.getTracks())
				track.stop();
			throw error;
		}
	}
	listen() {
		const [track] = this.stream.getAudioTracks();
		if (!track)
			return;
		track.onmute = () => this.events.onTaken(document.visibilityState === "hidden" ? "hidden" : "muted");
		track.onended = () => {
			if (!this.isClosed)
				this.events.onGone("device_gone");
		};
		this.context.onstatechange = () => {
			if (this.isClosed)
				return;
			if (this.context.state === "running") {
				this.events.onBack();
				return;
			}
			const state = this.context.state;
			this.events.onTaken(state === "interrupted" ? "call" : document.visibilityState === "hidden" ? "hidden" : "other");
		};
		navigator.mediaDevices.ondevicechange = () => this.events.onDevicesChanged();
	}
	get isOpen() {
		const [track] = this.stream.getAudioTracks();
		return this.context.state === "running" && track?.readyState === "live" && !track.muted;
	}
	get runs() {
		return this.context.state === "running";
	}
	async wake() {
		if (this.context.state !== "running")
			await this.context.resume();
	}
	close() {
		this.isClosed = true;
		this.source.disconnect();
		for (const track of this.stream.getTracks())
			track.stop();
		void this.context.close();
	}
}
const STILL = 1_000;
const ON_ITS_WAY = 300;
const COMPARE = 60_000;
const AWAKE_MAX = 2_000;
const SETTLE_MAX = 3_000;
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
class Device {
	server;
	spool;
	capture;
	events;
	want = "nothing";
	work = Promise.resolve();
	tab;
	placing = null;
	sender = null;
	microphone = null;
	encoder = null;
	sound = null;
	silence = new SilenceAlarm(0);
	status = { is: "off" };
	isKeeping = false;
	isTooFull = false;
	blockAt = 0;
	keptAt = null;
	isAlone = false;
	wasHidden = false;
	isComparing = false;
	sleep = new SleepWatch(performance.now(), Date.now());
	backoff = new Backoff(Math.random);
	retry;
	constructor(server, spool, capture, events) {
		this.server = server;
		this.spool = spool;
		this.capture = capture;
		this.events = events;
		this.tab = new TabLock(`voicelog-room-${server.room}`);
		setInterval(() => this.everySecond(), 1_000);
		setInterval(() => void this.compareClocks(), COMPARE);
		document.addEventListener("visibilitychange", () => {
			if (document.visibilityState === "hidden")
				this.wasHidden = true;
			else
				void this.compareClocks();
		});
		void this.spool.left().then((left) => left.length > 0 && this.events.onLeft(left)).catch(() => { });
	}
	follow(want) {
		const now = this.isAlone && (want === "record" || want === "hold") ? "off" : want;
		const isNew = now !== this.want;
		this.want = now;
		if (isNew || this.status.is === "off" || this.status.is === "refused")
			this.apply();
	}
	unknown() {
		if (this.want !== "stop")
			this.follow("off");
	}
	alone(isAlone) {
		this.isAlone = isAlone;
		this.follow(this.want);
	}
	tapped() {
		if (this.status.is === "taken")
			this.closeMicrophone();
		void this.microphone?.wake();
		this.apply();
	}
	wake() {
		this.sender?.wake();
		if (this.retry !== undefined)
			this.apply();
		if (this.placing?.isInDoubt)
			void this.compareClocks();
	}
	leavePage() {
		this.placing?.release();
		const tail = this.track?.tail();
		if (this.track && tail)
			void this.spool.keepTail({ track: this.track.track, ...tail }).catch(() => { });
	}
	get track() {
		return this.placing?.track ?? null;
	}
	tell(status) {
		this.status = status;
		this.events.onStatus(status);
	}
	apply() {
		clearTimeout(this.retry);
		this.retry = undefined;
		this.work = this.work.then(() => this.step()).catch((error) => this.failed(error));
	}
	applyIn(ms) {
		clearTimeout(this.retry);
		this.retry = setTimeout(() => this.apply(), ms);
	}
	failed(error) {
		const isStopping = this.want === "stop";
		if (error instanceof Unreachable) {
			this.events.onUnreachable();
			this.tell({ is: isStopping ? "sending" : "connecting" });
			this.applyIn(this.backoff.next(error.wait));
			return;
		}
		if (error instanceof Refused) {
			const isUnknown = error.status === 401 || error.status === 403 || error.status === 404;
			this.tell(isStopping ? { is: "sending" } : isUnknown ? { is: "off" } : { is: "refused", reason: error.message });
			if (isStopping)
				this.applyIn(UNKNOWN_WAIT);
			return;
		}
		this.closeMicrophone();
		this.placing?.interrupt("other");
		this.tell({ is: "needs_tap", reason: error instanceof Error ? error.name : "Error" });
	}
	async step() {
		const { want } = this;
		if (want !== "record" && this.isKeeping)
			await after(ON_ITS_WAY);
		if (want === "record" || want === "hold") {
			this.isKeeping = false;
			if (!(await this.lock()))
				return;
			if (!this.track && want === "record")
				await this.takeTrack();
			if (!this.microphone)
				await this.openMicrophone();
			await this.awaken();
			this.silence.reset(performance.now());
			this.keptAt = null;
			this.isKeeping = want === "record" && this.track !== null;
			if (this.isTooFull)
				this.tell({ is: "taken", reason: "storage_full" });
			else
				this.tell({ is: want === "record" ? "recording" : "held" });
		}
		else if (want === "off") {
			await this.quiet();
			this.tell({ is: "off" });
		}
		else if (want === "stop") {
			await this.finish();
		}
	}
	async awaken() {
		const { microphone } = this;
		if (!microphone)
			return;
		await Promise.race([microphone.wake(), after(AWAKE_MAX)]);
		if (!microphone.runs)
			throw new Error("the sound thread does not run");
	}
	async lock() {
		const got = await this.tab.take(() => this.apply());
		if (!got)
			this.tell({ is: "other_tab" });
		return got;
	}
	async takeTrack() {
		this.tell({ is: "opening" });
		const before = await resume(this.server, this.spool);
		await this.tellLeft();
		if (before) {
			this.useTrack(before);
			this.placing?.interrupt("reloaded");
			return;
		}
		const isOpus = await hasOpus();
		const told = await timed(this.server.openTrack(isOpus ? "opus/48000/2" : "L16/48000", isOpus ? 111 : 112));
		const { track, next, chain } = told.answer;
		await this.spool.keep({ track, next: 0, chain: NO_CHAIN, captured: null });
		this.useTrack({ ...told, place: { track, next, chain, captured: null }, tail: null, wanted: next });
		await Promise.race([this.compareClocks(), after(SETTLE_MAX)]);
	}
	useTrack({ answer, time, place, wanted, tail }) {
		const sender = new Sender(answer.track, wanted, this.server, this.spool, {
			onSent: (waiting) => {
				this.backoff.succeeded();
				this.events.onWaiting(waiting);
				void this.minded();
			},
			onUnreachable: () => this.events.onUnreachable(),
			onReachable: () => this.events.onReachable(),
		});
		this.sender = sender;
		const track = new Track(place, this.spool, () => void this.sealed(), (error) => this.failed(error));
		if (tail)
			track.takeTail(tail);
		this.placing = new Placing(track, new TrackClock(time));
		void sender.run().then((outcome) => this.sent(sender, outcome)).catch((error) => this.failed(error));
	}
	async sealed() {
		this.sender?.wake();
		if (this.track)
			this.events.onWaiting(await this.spool.count(this.track.track));
		await this.minded();
	}
	async minded() {
		const isTooFull = await this.spool.isTooFull();
		const isNew = isTooFull !== this.isTooFull;
		this.isTooFull = isTooFull;
		if (!isNew || this.status.is === "off" || this.status.is === "sending")
			return;
		if (isTooFull) {
			this.placing?.interrupt("storage_full");
			this.keptAt = null;
			this.tell({ is: "taken", reason: "storage_full" });
		}
	}
	async sent(sender, outcome) {
		const { placing } = this;
		if (this.sender !== sender || !placing || outcome === "stopped")
			return;
		this.placing = null;
		this.sender = null;
		this.isKeeping = false;
		const { track } = placing;
		if (outcome === "all_there") {
			await this.spool.finished(track.track).catch(() => { });
		}
		else {
			placing.release();
			const { chunks } = await track.finish();
			await leaveTrack(this.spool, track.track, [sender.next, chunks], outcome).catch(() => { });
			await this.tellLeft();
		}
		this.events.onWaiting(0);
		if (this.want !== "stop") {
			this.tell({ is: "opening" });
			this.applyIn(this.backoff.next(2_000));
			return;
		}
		this.closeMicrophone();
		this.tab.release();
		await this.over(outcome === "all_there");
	}
	async over(isAllThere) {
		const left = await this.spool.left().catch(() => []);
		this.tell({ is: isAllThere && left.length === 0 ? "done" : "left" });
	}
	async tellLeft() {
		const left = await this.spool.left().catch(() => []);
		if (left.length > 0)
			this.events.onLeft(left);
	}
	async openMicrophone() {
		if (this.status.is !== "opening")
			this.tell({ is: "opening" });
		const microphone = await Microphone.open(this.capture, {
			onBlock: (block) => this.block(block),
			onTaken: (reason) => this.taken(reason),
			onGone: (reason) => this.gone(reason),
			onBack: () => void this.compareClocks(),
			onDevicesChanged: () => {
				if (this.status.is === "needs_tap")
					this.apply();
			},
		});
		this.microphone = microphone;
		this.sound = new SoundClock(RATE);
		this.blockAt = performance.now();
		const isOpus = await hasOpus();
		const stream = new RtpStream(isOpus ? 111 : 112, () => crypto.getRandomValues(new Uint32Array(1))[0]);
		const { sound } = this;
		this.encoder = encoderOf(isOpus, (payload, sample, samples) => {
			if (this.placing && this.mayKeep)
				this.placing.packet(stream.packet(payload, sample), sound.timeOf(sample + samples));
		}, (error) => this.failed(error));
	}
	get mayKeep() {
		return this.isKeeping && !this.isTooFull;
	}
	block(block) {
		const now = performance.now();
		this.lookAtClock(now);
		const captured = this.sound?.capturedAt(block.start + block.samples.length, now, block.wall) ?? now;
		if (this.microphone?.isOpen !== true)
			return;
		const peak = peakOf(block.samples);
		this.blockAt = now;
		this.silence.heard(peak, now);
		this.events.onLevel(meterOf(peak));
		if (this.status.is === "taken" && !this.isTooFull)
			this.tell({ is: this.isKeeping ? "recording" : "held" });
		if (!this.mayKeep)
			return;
		if (this.keptAt !== null && captured - this.keptAt > STILL / 2)
			this.placing?.interrupt("other");
		this.keptAt = captured;
		this.encoder?.take(block.samples, block.start);
	}
	taken(reason) {
		if (this.status.is !== "recording" && this.status.is !== "held")
			return;
		this.placing?.interrupt(reason);
		this.keptAt = null;
		this.tell({ is: "taken", reason });
	}
	gone(reason) {
		this.placing?.interrupt(reason);
		this.closeMicrophone();
		this.apply();
	}
	everySecond() {
		const now = performance.now();
		this.lookAtClock(now);
		if (this.placing?.isInDoubt)
			void this.compareClocks();
		if (this.status.is === "recording" && now - this.blockAt > STILL)
			this.taken(document.visibilityState === "hidden" ? "hidden" : "other");
		const isListening = this.status.is === "recording" || this.status.is === "taken";
		if (!isListening)
			this.silence.reset(now);
		const changed = this.silence.changed(now);
		if (changed !== null)
			this.events.onSilence(changed);
	}
	lookAtClock(now) {
		const from = this.sleep.lastMs;
		if (!this.sleep.maySleep(now, Date.now()) || !this.placing)
			return;
		this.placing.mayHaveSlept(from, now, this.wasHidden ? "hidden" : "other");
		void this.compareClocks();
	}
	async compareClocks() {
		const { placing } = this;
		if (!placing || this.isComparing)
			return;
		this.isComparing = true;
		try {
			const { time } = await timed(this.server.track(placing.track.track));
			if (this.sleep.maySleep(performance.now(), Date.now())) {
				placing.mayHaveSlept(time.asked, performance.now(), this.wasHidden ? "hidden" : "other");
				return;
			}
			const moved = placing.compare(time);
			this.wasHidden = document.visibilityState === "hidden";
			if (moved > 0)
				this.events.onSlept(moved / 1_000);
		}
		catch {
		}
		finally {
			this.isComparing = false;
		}
	}
	closeMicrophone() {
		this.encoder?.close();
		this.microphone?.close();
		this.encoder = null;
		this.microphone = null;
		this.events.onLevel(0);
	}
	async quiet() {
		await this.encoder?.finish().catch(() => { });
		this.isKeeping = false;
		this.closeMicrophone();
		if (this.placing?.isInDoubt)
			await Promise.race([this.compareClocks(), after(SETTLE_MAX)]);
		this.placing?.release();
		if (this.want === "off")
			this.placing?.interrupt("other");
		this.track?.seal();
	}
	async finish() {
		await this.quiet();
		if (!(await this.lock()))
			return;
		if (!this.track) {
			const before = await resume(this.server, this.spool);
			await this.tellLeft();
			if (before)
				this.useTrack(before);
		}
		const { track, sender } = this;
		if (!track || !sender) {
			await this.over(true);
			return;
		}
		this.tell({ is: "sending" });
		const end = await track.finish();
		sender.finish(end);
	}
}
function meIn(state) {
	return state.parties.find((party) => party.id === state.me);
}
function wantOf(state) {
	const me = meIn(state);
	if (state.phase === "ended")
		return "stop";
	if (!me?.is_there)
		return "stop";
	if (!state.is_host && me.choice !== "records_too")
		return me.tracks.length > 0 ? "off" : "nothing";
	if (state.phase === "recording")
		return "record";
	return state.phase === "paused" ? "hold" : "off";
}
class Watch {
	server;
	events;
	version = 0;
	alarm = new Alarm();
	backoff = new Backoff(Math.random);
	isStopped = false;
	constructor(server, events) {
		this.server = server;
		this.events = events;
	}
	take(state) {
		if (state.version < this.version)
			return;
		this.version = state.version;
		this.events.onState(state);
	}
	wake() {
		this.alarm.ring();
	}
	stop() {
		this.isStopped = true;
		this.alarm.ring();
	}
	async run() {
		while (!this.isStopped) {
			try {
				const state = await this.server.state(this.version);
				this.backoff.succeeded();
				this.take(state);
				if (state.phase === "ended" && (state.fingerprint || state.started_at === null))
					return;
				if (state.version <= this.version && state.phase === "ended")
					await this.alarm.wait(1_000);
			}
			catch (error) {
				if (error instanceof Refused) {
					this.events.onUnknown();
					await this.alarm.wait(UNKNOWN_WAIT);
					continue;
				}
				this.events.onUnreachable();
				await this.alarm.wait(this.backoff.next(error instanceof Unreachable ? error.wait : null));
			}
		}
	}
}
const NAME = "voicelog-room";
const CHUNKS = "chunks";
const TALKS = "talks";
const LEFT_BEHIND = 2 * 24 * 3_600_000;
function answered(request) {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}
function done(transaction) {
	return new Promise((resolve, reject) => {
		transaction.oncomplete = () => resolve();
		transaction.onabort = () => reject(transaction.error);
		transaction.onerror = () => reject(transaction.error);
	});
}
function forget(row, track) {
	if (row.kept?.track === track)
		delete row.kept;
	if (row.tail?.track === track)
		delete row.tail;
}
async function openDatabase() {
	const request = indexedDB.open(NAME, 1);
	request.onupgradeneeded = () => {
		request.result.createObjectStore(CHUNKS, { keyPath: ["room", "track", "number"] });
		request.result.createObjectStore(TALKS, { keyPath: "room" });
	};
	return answered(request);
}
class DatabaseSpool {
	database;
	room;
	constructor(database, room) {
		this.database = database;
		this.room = room;
	}
	write(stores) {
		return this.database.transaction(stores, "readwrite", { durability: "strict" });
	}
	async change(what, ofChunks) {
		const transaction = this.write([CHUNKS, TALKS]);
		const talks = transaction.objectStore(TALKS);
		ofChunks?.(transaction.objectStore(CHUNKS));
		const read = talks.get(this.room);
		read.onsuccess = () => {
			const row = { ...read.result, room: this.room, saved: Date.now() };
			what(row);
			if (row.kept || row.tail || row.left)
				talks.put(row);
			else
				talks.delete(this.room);
		};
		await done(transaction);
	}
	async put(chunk) {
		const kept = { track: chunk.track, next: chunk.number + 1, chain: chunk.chain, captured: chunk.captured };
		await this.change((row) => {
			row.kept = kept;
			delete row.tail;
		}, (chunks) => chunks.put({ room: this.room, ...chunk }));
	}
	async get(track, number) {
		return answered(this.database.transaction(CHUNKS).objectStore(CHUNKS).get([this.room, track, number]));
	}
	async release(track, before) {
		if (before <= 0)
			return;
		const transaction = this.write([CHUNKS]);
		transaction.objectStore(CHUNKS).delete(IDBKeyRange.bound([this.room, track, 0], [this.room, track, before - 1]));
		await done(transaction);
	}
	row() {
		return answered(this.database.transaction(TALKS).objectStore(TALKS).get(this.room));
	}
	async kept() {
		return (await this.row())?.kept;
	}
	async keep(kept) {
		await this.change((row) => {
			row.kept = kept;
			delete row.tail;
		});
	}
	async keepTail(tail) {
		await this.change((row) => (row.tail = tail));
	}
	async tail() {
		return (await this.row())?.tail;
	}
	chunksOf(track) {
		return IDBKeyRange.bound([this.room, track], [this.room, track, []]);
	}
	async count(track) {
		return answered(this.database.transaction(CHUNKS).objectStore(CHUNKS).count(this.chunksOf(track)));
	}
	async finished(track) {
		await this.change((row) => forget(row, track), (chunks) => chunks.delete(this.chunksOf(track)));
	}
	async leave(left) {
		await this.change((row) => {
			row.left = [...(row.left ?? []), left];
			forget(row, left.track);
		});
	}
	async left() {
		return (await this.row())?.left ?? [];
	}
	async clear() {
		const transaction = this.write([CHUNKS, TALKS]);
		transaction.objectStore(CHUNKS).delete(IDBKeyRange.bound([this.room], [this.room, []]));
		transaction.objectStore(TALKS).delete(this.room);
		await done(transaction);
	}
	async sweep(now) {
		const rows = await answered(this.database.transaction(TALKS).objectStore(TALKS).getAll());
		for (const row of rows) {
			if (row.room !== this.room && now - row.saved > LEFT_BEHIND)
				await new DatabaseSpool(this.database, row.room).clear();
		}
	}
}
class Announcing {
	events;
	isPlayed = false;
	isMissed = false;
	isRecording = false;
	notice = null;
	constructor(events) {
		this.events = events;
	}
	status(status) {
		this.isRecording = status.is === "recording";
		void this.play();
	}
	follow(state) {
		this.notice = state.phase === "recording" ? state.notice : null;
		if (state.notice === "missed" && state.phase !== "ended")
			this.missed("not_heard");
		void this.play();
	}
	async play() {
		if (this.isPlayed || !this.isRecording || this.notice !== "awaited")
			return;
		this.isPlayed = true;
		if (!(await this.events.play()))
			this.missed("not_played");
	}
	missed(why) {
		if (this.isMissed)
			return;
		this.isMissed = true;
		this.events.onMissed(why);
	}
}
const PAGE_MAX = 15_000;
function newsOf(state) {
	const asked = state.parties.map((party) => [party.id, party.is_there, party.request ?? null]);
	return JSON.stringify([asked, state.minutes, state.code ?? null]);
}
function twinOf(part, focused) {
	const isTwin = (one) => one.id === focused.id && one.getAttribute("href") === focused.getAttribute("href") && one.getAttribute("value") === focused.getAttribute("value");
	return [...part.querySelectorAll(focused.tagName)].find(isTwin) ?? part.querySelector("h2");
}
class Fresh {
	version;
	onMade;
	shown = null;
	wanted = "";
	isBusy = false;
	pressed = null;
	constructor(version, onMade) {
		this.version = version;
		this.onMade = onMade;
	}
	press(button) {
		this.pressed = button;
	}
	async follow(state) {
		this.wanted = newsOf(state);
		if (this.shown === null && state.version === this.version)
			this.shown = this.wanted;
		if (this.isBusy || state.phase === "ended")
			return;
		this.isBusy = true;
		try {
			while (this.shown !== this.wanted) {
				const { wanted } = this;
				const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PAGE_MAX) });
				if (!answer.ok)
					return;
				this.take(new DOMParser().parseFromString(await answer.text(), "text/html"));
				this.shown = wanted;
			}
		}
		catch {
		}
		finally {
			this.isBusy = false;
		}
	}
	take(page) {
		const said = [];
		for (const part of document.querySelectorAll("[data-fresh]")) {
			const made = page.getElementById(part.id);
			if (!made)
				part.hidden = true;
			if (!made || made.innerHTML === part.innerHTML)
				continue;
			const { activeElement } = document;
			const isPressed = this.pressed !== null && part.contains(this.pressed) && (activeElement === null || activeElement === document.body);
			const focused = isPressed ? this.pressed : part.contains(activeElement) ? activeElement : null;
			const text = made.dataset["say"] ?? "";
			if (text !== "" && text !== part.dataset["say"])
				said.push(text);
			part.dataset["say"] = text;
			part.replaceChildren(...made.childNodes);
			if (focused)
				twinOf(part, focused)?.focus();
		}
		this.onMade(said.join(" "));
	}
}
const en = {
	phase: {
		waiting: "Nothing is being recorded. We wait until everybody has chosen.",
		ready: "Nothing is being recorded. The recording can start.",
		recording: "This talk is being recorded.",
		paused: "Pause. Nothing is being kept.",
		refused: "Nothing is being recorded. It is not allowed now.",
		ended: "The recording has ended.",
	},
	title: { recording: "● Recording", paused: "Pause", off: "Not recording" },
	spoken: {
		start: "This conversation is being recorded from now on.",
		pause: "The recording is paused.",
		resume: "The recording goes on.",
		end: "The recording has stopped.",
	},
	sayYourself: "Say aloud yourself:",
	noticeMissed: {
		not_played: "This device cannot play the notice of the recording.",
		not_heard: "The notice was not heard in the recording.",
	},
	me: "you",
	host: "who started it",
	guest: "guest",
	choice: { agreed: "agrees", rather_not: "rather not", records_too: "records too", none: "has not chosen yet" },
	left: "has left the talk",
	records: "records",
	isInterrupted: "microphone was lost",
	silent: "nothing heard for {s} seconds",
	pausedBy: "Paused by {who}.",
	recorded: "{time} recorded",
	device: {
		off: "This device does not record.",
		other_tab: "Another tab of this device records already. There is nothing to do here.",
		opening: "The microphone is being opened …",
		recording: "This device records.",
		held: "This device keeps nothing now.",
		sending: "The last part is being sent. Leave this page open.",
		connecting: "The server cannot be reached. This device tries again by itself and records nothing until then.",
		done: "All that this device recorded has been sent.",
		left: "Not all that this device recorded was taken.",
	},
	taken: {
		call: "A telephone call took the microphone. This part will be missing, and that will be said.",
		hidden: "The microphone is gone because the screen is off or you did something else. This part will be missing, and that will be said.",
		muted: "The microphone is off. This part will be missing, and that will be said.",
		device_gone: "The microphone was disconnected. This part will be missing, and that will be said.",
		reloaded: "The page was loaded again.",
		storage_full: "This device has no room left. This part will be missing, and that will be said.",
		other: "No sound comes from the microphone any more. This part will be missing, and that will be said.",
	},
	needsTap: "The microphone does not open. Allow the microphone and press the button.",
	denied: "The browser does not give the microphone. Allow it for this page in the settings, and press the button.",
	noMicrophone: "No microphone was found. Connect one and press the button.",
	silence: "Nothing has been heard for ten seconds. Is the microphone on, and does nothing cover it?",
	storageFull: "The storage of this device is full. Recording goes on as long as there is memory. Make room.",
	unreachable: "No connection. The recording goes on and is sent later. Leave this page open.",
	reachable: "The connection is back. What was kept is being sent.",
	waiting: "{n} parts wait to be sent.",
	refused: "The server does not let this device record: ",
	notTaken: {
		too_late: "{s} seconds that this device recorded were not taken: the talk was closed before they came.",
		refused: "{s} seconds that this device recorded were not taken: the server does not accept them as they are.",
		not_yours: "{s} seconds that this device recorded were not taken: you have come into this talk anew, as somebody else.",
		torn: "{s} seconds that this device recorded were not taken: the browser lost a part that goes before them.",
	},
	staysHere: "They stay in this browser, for two days at least. Tell the other person that this part is missing, and who manages the recordings.",
	unknown: "The server does not know you in this talk any more: the talk is over, or the server was started again. Nothing is recorded now. What was not sent stays on this device.",
	unknownHost: "The server does not know you in this talk any more: perhaps you were signed out. Nothing is recorded now. What was not sent stays on this device. Sign in again, in another tab; then this page goes on by itself.",
	slept: "This device slept for {s} seconds. That part is missing, and that will be said.",
	attend: {
		ask: "Is somebody still here? Touch the screen. Otherwise this device stops recording.",
		guestStopped: "Nobody answered. This device records no more, and has left the talk.",
		hostStopped: "Nobody answered. The recording is paused, and this device records nothing until you touch the screen.",
	},
	failed: "That did not work: ",
	network: "there is no connection. Try again.",
	cannotRecord: "This browser cannot record. Use a recent version of Firefox, Chrome, Edge or Safari, over https.",
};
const nl = {
	phase: {
		waiting: "Er wordt niet opgenomen. We wachten tot iedereen gekozen heeft.",
		ready: "Er wordt niet opgenomen. De opname kan beginnen.",
		recording: "Er wordt opgenomen.",
		paused: "Pauze. Er wordt niets bewaard.",
		refused: "Er wordt niet opgenomen. Dat mag nu niet.",
		ended: "De opname is afgelopen.",
	},
	title: { recording: "● Opname", paused: "Pauze", off: "Geen opname" },
	spoken: {
		start: "Dit gesprek wordt vanaf nu opgenomen.",
		pause: "De opname is gepauzeerd.",
		resume: "De opname gaat verder.",
		end: "De opname is gestopt.",
	},
	sayYourself: "Zeg zelf hardop:",
	noticeMissed: {
		not_played: "Dit apparaat kan de melding van de opname niet afspelen.",
		not_heard: "De melding is in de opname niet gehoord.",
	},
	me: "u",
	host: "wie begon",
	guest: "gast",
	choice: { agreed: "vindt het goed", rather_not: "liever niet", records_too: "neemt ook op", none: "heeft nog niet gekozen" },
	left: "is weg uit het gesprek",
	records: "neemt op",
	isInterrupted: "microfoon weggevallen",
	silent: "geen bericht sinds {s} seconden",
	pausedBy: "Gepauzeerd door {who}.",
	recorded: "{time} opgenomen",
	device: {
		off: "Dit apparaat neemt niet op.",
		other_tab: "Een ander tabblad van dit apparaat neemt al op. Hier hoeft u niets te doen.",
		opening: "De microfoon gaat open …",
		recording: "Dit apparaat neemt op.",
		held: "Dit apparaat bewaart nu niets.",
		sending: "Het laatste stuk wordt verstuurd. Laat deze bladzijde open.",
		connecting: "De server is niet te bereiken. Dit apparaat probeert het vanzelf opnieuw en neemt tot dan niets op.",
		done: "Alles van dit apparaat is verstuurd.",
		left: "Niet alles wat dit apparaat opnam is aangenomen.",
	},
	taken: {
		call: "De microfoon is weg door een telefoongesprek. Dit stuk ontbreekt straks, en dat staat erbij.",
		hidden: "De microfoon is weg omdat het scherm uit is of u iets anders deed. Dit stuk ontbreekt straks, en dat staat erbij.",
		muted: "De microfoon staat uit. Dit stuk ontbreekt straks, en dat staat erbij.",
		device_gone: "De microfoon is losgeraakt. Dit stuk ontbreekt straks, en dat staat erbij.",
		reloaded: "De bladzijde is opnieuw geladen.",
		storage_full: "Dit apparaat heeft geen ruimte meer. Dit stuk ontbreekt straks, en dat staat erbij.",
		other: "Er komt geen geluid meer van de microfoon. Dit stuk ontbreekt straks, en dat staat erbij.",
	},
	needsTap: "De microfoon gaat niet open. Sta de microfoon toe en druk op de knop.",
	denied: "De browser geeft de microfoon niet. Sta de microfoon voor deze bladzijde toe in de instellingen, en druk op de knop.",
	noMicrophone: "Er is geen microfoon gevonden. Sluit er een aan en druk op de knop.",
	silence: "Al tien seconden is er niets te horen. Staat de microfoon aan, en ligt er niets op?",
	storageFull: "De opslag van dit apparaat is vol. De opname gaat door zolang er geheugen is. Maak ruimte.",
	unreachable: "Geen verbinding. De opname gaat door en wordt later verstuurd. Laat deze bladzijde open.",
	reachable: "Er is weer verbinding. Wat bewaard was, wordt verstuurd.",
	waiting: "{n} stukken wachten op verzending.",
	refused: "De server laat dit apparaat niet opnemen: ",
	notTaken: {
		too_late: "{s} seconden die dit apparaat opnam zijn niet aangenomen: het gesprek was al afgesloten toen ze kwamen.",
		refused: "{s} seconden die dit apparaat opnam zijn niet aangenomen: de server accepteert ze zo niet.",
		not_yours: "{s} seconden die dit apparaat opnam zijn niet aangenomen: u bent opnieuw in dit gesprek gekomen, als iemand anders.",
		torn: "{s} seconden die dit apparaat opnam zijn niet aangenomen: de browser is een stuk kwijt dat ervoor hoort.",
	},
	staysHere: "Ze blijven in deze browser staan, minstens twee dagen. Zeg tegen de ander, en tegen wie de opnamen beheert, dat dit stuk ontbreekt.",
	unknown: "De server kent u niet meer in dit gesprek: het is afgelopen, of de server is opnieuw gestart. Er wordt nu niets opgenomen. Wat nog niet verstuurd was, blijft op dit apparaat.",
	unknownHost: "De server kent u niet meer in dit gesprek: misschien bent u uitgelogd. Er wordt nu niets opgenomen. Wat nog niet verstuurd was, blijft op dit apparaat. Log opnieuw in, in een ander tabblad; dan gaat deze bladzijde vanzelf verder.",
	slept: "Dit apparaat heeft {s} seconden geslapen. Dit stuk ontbreekt straks, en dat staat erbij.",
	attend: {
		ask: "Is er nog iemand? Raak het scherm aan. Anders stopt dit apparaat met opnemen.",
		guestStopped: "Niemand gaf antwoord. Dit apparaat neemt niets meer op en is weg uit het gesprek.",
		hostStopped: "Niemand gaf antwoord. De opname is gepauzeerd, en dit apparaat neemt niets op tot u het scherm aanraakt.",
	},
	failed: "Dat lukte niet: ",
	network: "er is geen verbinding. Probeer het nog eens.",
	cannotRecord: "Deze browser kan niet opnemen. Gebruik een nieuwe versie van Firefox, Chrome, Edge of Safari, over https.",
};
const LANGUAGES = { nl, en };
function textsOf(lang) {
	return LANGUAGES[lang] ?? en;
}
function filled(text, values) {
	return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}
function timeText(us) {
	const seconds = Math.floor(us / 1_000_000);
	const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
	const two = (number) => String(number).padStart(2, "0");
	return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
class Screen {
	t;
	baseTitle = document.title;
	state = null;
	stateAt = 0;
	said = "";
	constructor(t) {
		this.t = t;
		setInterval(() => this.showTime(), 1_000);
	}
	part(id) {
		return document.getElementById(id);
	}
	write(id, text) {
		const part = this.part(id);
		if (part && part.textContent !== text)
			part.textContent = text;
	}
	notice(id, text) {
		const part = this.part(id);
		if (!part)
			return;
		part.hidden = text === null;
		if (text !== null)
			this.write(`${id}-text`, text);
	}
	say(text, isShownElsewhere = false) {
		if (text === this.said)
			return;
		this.said = text;
		const part = this.part("say");
		if (part)
			part.className = isShownElsewhere ? "hidden" : "said";
		this.write("say", text);
	}
	show(state) {
		const was = this.state?.phase;
		this.state = state;
		this.stateAt = performance.now();
		const sign = state.phase === "recording" || state.phase === "paused" ? state.phase : "off";
		const bar = this.part("sign");
		if (bar)
			bar.dataset["sign"] = sign;
		this.write("sign-text", this.t.phase[state.phase]);
		document.title = `${this.t.title[sign]} – ${this.baseTitle}`;
		if (was !== undefined && was !== state.phase)
			this.say(this.t.phase[state.phase], true);
		const me = meIn(state);
		for (const part of document.querySelectorAll("[data-phases]")) {
			const fits = (part.dataset["phases"] ?? "").split(" ").includes(state.phase);
			const isChosen = part.dataset["chosen"] === undefined || (part.dataset["chosen"] === "yes") === (me?.choice != null);
			const isThere = me?.is_there !== false || part.dataset["always"] !== undefined;
			part.hidden = !(fits && isChosen && isThere);
		}
		this.write("paused-by", state.paused_by === null ? "" : filled(this.t.pausedBy, { who: this.nameOf(state, state.paused_by) }));
		this.showParties(state);
		this.showGrounds(state);
		this.showTime();
	}
	showGrounds(state) {
		const list = this.part("grounds");
		if (!list || !state.decision)
			return;
		list.replaceChildren(...state.decision.grounds.map((ground) => {
			const [line, text, tags] = [document.createElement("li"), document.createElement("p"), document.createElement("ul")];
			text.textContent = document.documentElement.lang === "nl" ? ground.text_nl : ground.text_en;
			tags.className = "tags";
			for (const article of ground.articles) {
				const tag = document.createElement("li");
				tag.className = "tag";
				tag.textContent = article;
				tags.append(tag);
			}
			line.append(text, tags);
			return line;
		}));
	}
	nameOf(state, id) {
		if (id === state.me)
			return this.t.me;
		const party = state.parties.find((one) => one.id === id);
		return party?.name ?? (id === "p1" ? this.t.host : `${this.t.guest} ${id.slice(1)}`);
	}
	lineOf(state, party) {
		const said = party.is_there ? this.t.choice[party.choice ?? "none"] : this.t.left;
		const parts = [party.id === "p1" && party.is_there && party.choice === null ? null : said];
		for (const track of party.tracks.filter((one) => one.is_open)) {
			if (track.is_interrupted)
				parts.push(this.t.isInterrupted);
			else if (track.silent_for_s >= 10)
				parts.push(filled(this.t.silent, { s: track.silent_for_s }));
			else
				parts.push(this.t.records);
		}
		return [this.nameOf(state, party.id), ...parts.filter((part) => part !== null)].join(" · ");
	}
	showParties(state) {
		const list = this.part("parties");
		if (!list)
			return;
		const lines = state.parties.map((party) => this.lineOf(state, party));
		const shown = Array.from(list.children, (line) => line.textContent);
		if (lines.join("\n") === shown.join("\n"))
			return;
		list.replaceChildren(...lines.map((text) => {
			const line = document.createElement("li");
			line.textContent = text;
			return line;
		}));
	}
	showTime() {
		if (!this.state)
			return;
		const since = this.state.phase === "recording" ? (performance.now() - this.stateAt) * 1_000 : 0;
		this.write("time", filled(this.t.recorded, { time: timeText(this.state.recorded_us + since) }));
	}
	device(status) {
		const trouble = this.troubleOf(status);
		this.notice("trouble", trouble);
		const again = this.part("again");
		if (again)
			again.hidden = status.is === "refused";
		if (status.is === "taken" || status.is === "needs_tap" || status.is === "refused")
			this.write("device", this.t.device.off);
		else
			this.write("device", this.t.device[status.is]);
		const meter = this.part("meter");
		if (meter)
			meter.hidden = !["recording", "held", "taken"].includes(status.is);
	}
	troubleOf(status) {
		if (status.is === "taken")
			return this.t.taken[status.reason];
		if (status.is === "needs_tap")
			return this.tapText(status.reason);
		return status.is === "refused" ? `${this.t.refused}${status.reason}` : null;
	}
	tapText(reason) {
		if (reason === "NotAllowedError" || reason === "SecurityError")
			return this.t.denied;
		return reason === "NotFoundError" ? this.t.noMicrophone : this.t.needsTap;
	}
	level(level) {
		const meter = this.part("level");
		if (meter instanceof HTMLMeterElement)
			meter.value = level;
	}
	silence(isSilent) {
		this.notice("silence", isSilent ? this.t.silence : null);
	}
	storage(isFull) {
		this.notice("storage", isFull ? this.t.storageFull : null);
	}
	network(isThere) {
		const wasAway = this.part("network")?.hidden === false;
		this.notice("network", isThere ? null : this.t.unreachable);
		if (isThere && wasAway)
			this.say(this.t.reachable);
	}
	waiting(chunks) {
		this.write("waiting", chunks > 3 ? filled(this.t.waiting, { n: chunks }) : "");
	}
	left(left) {
		const lines = left.map(({ why, sound }) => filled(this.t.notTaken[why], { s: Math.ceil(sound / 1_000_000) }));
		this.notice("left", [...lines, this.t.staysHere].join(" "));
	}
	unknown(isUnknown, isHost) {
		this.notice("unknown", isUnknown ? (isHost ? this.t.unknownHost : this.t.unknown) : null);
	}
	slept(ms) {
		this.say(filled(this.t.slept, { s: Math.round(ms / 1_000) }));
	}
	attendance(text) {
		this.notice("attend", text);
	}
	failed(text) {
		this.say(`${this.t.failed}${text}`);
	}
	sayYourself(text, why = "") {
		this.notice("aloud", `${why} ${this.t.sayYourself} “${text}”`.trim());
	}
}
async function localVoice(lang) {
	if (!("speechSynthesis" in window))
		return null;
	const find = () => speechSynthesis.getVoices().find((voice) => voice.localService && voice.lang.toLowerCase().startsWith(lang)) ?? null;
	const found = find();
	if (found || speechSynthesis.getVoices().length > 0)
		return found;
	await new Promise((resolve) => {
		speechSynthesis.addEventListener("voiceschanged", () => resolve(), { once: true });
		setTimeout(resolve, 1_000);
	});
	return find();
}
async function canSpeak(lang) {
	return (await localVoice(lang)) !== null;
}
async function speak(text, lang) {
	const voice = await localVoice(lang);
	if (!voice)
		return false;
	const utterance = new SpeechSynthesisUtterance(text);
	utterance.voice = voice;
	utterance.lang = voice.lang;
	speechSynthesis.speak(utterance);
	return true;
}
async function playSound(file) {
	const context = new AudioContext();
	try {
		const source = context.createBufferSource();
		source.buffer = await context.decodeAudioData(file);
		source.connect(context.destination);
		await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
		if (context.state !== "running")
			return false;
		const ended = new Promise((resolve) => (source.onended = resolve));
		source.start();
		await ended;
		return true;
	}
	catch {
		return false;
	}
	finally {
		void context.close();
	}
}
function hush() {
	const wasSpeaking = "speechSynthesis" in window && speechSynthesis.speaking;
	if (wasSpeaking)
		speechSynthesis.cancel();
	return wasSpeaking;
}
class ScreenLock {
	lock = null;
	isWanted = false;
	constructor() {
		document.addEventListener("visibilitychange", () => void this.renew());
	}
	keep(isWanted) {
		this.isWanted = isWanted;
		if (isWanted)
			void this.renew();
		else {
			void this.lock?.release();
			this.lock = null;
		}
	}
	async renew() {
		if (!this.isWanted || document.visibilityState !== "visible" || !("wakeLock" in navigator))
			return;
		if (this.lock && !this.lock.released)
			return;
		this.lock = await navigator.wakeLock.request("screen").catch(() => null);
	}
}
function beep() {
	const context = new AudioContext();
	for (const start of [0, 0.3]) {
		const [tone, volume] = [context.createOscillator(), context.createGain()];
		tone.frequency.value = 880;
		volume.gain.value = 0.2;
		tone.connect(volume).connect(context.destination);
		tone.start(context.currentTime + start);
		tone.stop(context.currentTime + start + 0.15);
	}
	setTimeout(() => void context.close(), 1_000);
}
const SPOKEN = meterOf(0.01);
const BEEP_EACH = 10_000;
async function spoolOf(room) {
	try {
		const spool = new DatabaseSpool(await openDatabase(), room);
		await spool.sweep(Date.now());
		return spool;
	}
	catch {
		return new MemorySpool();
	}
}
async function offerReading(lang) {
	const button = document.getElementById("read");
	const terms = document.getElementById("terms");
	if (!button || !terms || !(await canSpeak(lang)))
		return;
	button.hidden = false;
	button.addEventListener("click", () => {
		if (hush())
			return;
		for (const part of terms.querySelectorAll("h2, h3, p, li, dt, dd"))
			void speak(part.textContent ?? "", lang);
	});
}
class Room {
	isHost;
	lang;
	texts;
	screen;
	server;
	screenLock = new ScreenLock();
	watch;
	fresh;
	phase = null;
	state = null;
	attendance = new Attendance(performance.now());
	isLeftAlone = false;
	isDone = false;
	isEnded = false;
	isCapturing = false;
	alarms = new Set();
	announcing;
	constructor(root, spool, isHost) {
		this.isHost = isHost;
		this.lang = document.documentElement.lang;
		this.texts = textsOf(this.lang);
		this.screen = new Screen(this.texts);
		this.server = new Server(root.dataset["room"] ?? "", root.dataset["token"] ?? "", (address, init) => fetch(address, init));
		this.fresh = new Fresh(Number(root.dataset["version"]), (said) => {
			if (this.state)
				this.screen.show(this.state);
			if (said !== "")
				this.screen.say(said, true);
		});
		this.announcing = new Announcing({
			play: () => this.server.notice().then(playSound, () => false),
			onMissed: (why) => {
				beep();
				this.screen.sayYourself(this.texts.spoken.start, this.texts.noticeMissed[why]);
			},
		});
		const patient = new PatientSpool(spool, (isFull) => this.screen.storage(isFull));
		const device = new Device(this.server, patient, root.dataset["capture"] ?? "", {
			onStatus: (status) => {
				this.screen.device(status);
				if (this.isHost)
					this.announcing.status(status);
				this.screenLock.keep(status.is === "recording" || status.is === "taken");
				this.isCapturing = status.is === "recording" || status.is === "taken";
				this.alarm("microphone", ["taken", "needs_tap", "refused", "connecting"].includes(status.is));
				this.isDone = status.is === "done";
				this.leaveWhenDone();
			},
			onLevel: (level) => {
				this.screen.level(level);
				if (level > SPOKEN)
					this.attendance.heard(performance.now());
			},
			onSilence: (isSilent) => {
				this.screen.silence(isSilent);
				this.alarm("silence", isSilent);
			},
			onWaiting: (chunks) => this.screen.waiting(chunks),
			onLeft: (left) => this.screen.left(left),
			onSlept: (ms) => this.screen.slept(ms),
			onUnreachable: () => this.screen.network(false),
			onReachable: () => this.screen.network(true),
		});
		this.watch = new Watch(this.server, {
			onState: (state) => {
				this.screen.network(true);
				this.known(true);
				this.screen.show(state);
				this.state = state;
				device.follow(wantOf(state));
				if (this.isHost)
					this.announcing.follow(state);
				this.spoken(state);
				void this.fresh.follow(state);
			},
			onUnreachable: () => this.screen.network(false),
			onUnknown: () => {
				this.known(false);
				device.unknown();
			},
		});
		setInterval(() => {
			if (this.alarms.size > 0)
				beep();
		}, BEEP_EACH);
		setInterval(() => this.attended(device), 1_000);
		this.listen(device);
		void this.watch.run();
	}
	listen(device) {
		document.addEventListener("submit", (event) => {
			if (event.target instanceof Element && event.target.matches("form[data-room-form]"))
				void this.submitted(event);
		});
		for (const touch of ["pointerdown", "keydown"])
			addEventListener(touch, () => this.touched(device), { capture: true });
		document.getElementById("again")?.addEventListener("click", () => device.tapped());
		window.addEventListener("online", () => {
			this.watch.wake();
			device.wake();
		});
		window.addEventListener("pagehide", () => device.leavePage());
		window.addEventListener("pageshow", (event) => {
			if (event.persisted)
				location.reload();
		});
		window.addEventListener("beforeunload", (event) => {
			if (this.isCapturing)
				event.preventDefault();
		});
	}
	known(isKnown) {
		this.screen.unknown(!isKnown, this.isHost);
		if (isKnown)
			this.alarm("unknown", false);
		else if (this.isCapturing)
			this.alarm("unknown", true);
	}
	attended(device) {
		const now = performance.now();
		if (!this.isCapturing) {
			this.attendance.rests(now);
			if (!this.isLeftAlone)
				this.asksAttendance(null);
			return;
		}
		const due = this.attendance.due(now);
		if (due === "ask") {
			this.asksAttendance(this.texts.attend.ask);
			void speak(this.texts.attend.ask, this.lang);
		}
		else if (due === "stop") {
			this.isLeftAlone = true;
			device.alone(true);
			const { hostStopped, guestStopped } = this.texts.attend;
			this.asksAttendance(this.isHost ? hostStopped : guestStopped);
			void this.goesAway();
		}
	}
	asksAttendance(text) {
		this.screen.attendance(text);
		this.alarm("attend", text !== null && !this.isLeftAlone);
	}
	async goesAway() {
		while (this.isLeftAlone) {
			try {
				this.watch.take(await this.server.act(this.isHost ? "pause" : "leave"));
				return;
			}
			catch (error) {
				if (error instanceof Refused)
					return;
				await new Promise((resolve) => setTimeout(resolve, 5_000));
			}
		}
	}
	touched(device) {
		this.attendance.touched(performance.now());
		this.asksAttendance(null);
		this.alarm("unknown", false);
		if (!this.isLeftAlone)
			return;
		this.isLeftAlone = false;
		device.alone(false);
		if (this.state)
			device.follow(wantOf(this.state));
	}
	async submitted(event) {
		const button = event.submitter;
		if (!(button instanceof HTMLButtonElement) || (button.name !== "choice" && button.name !== "act"))
			return;
		event.preventDefault();
		button.disabled = true;
		this.fresh.press(button);
		try {
			if (button.value === "records_too" || button.value === "start")
				await askForMicrophone().catch(() => { });
			const state = button.name === "choice" ? await this.server.choose(button.value) : await this.server.act(button.value);
			this.watch.take(state);
		}
		catch (error) {
			this.screen.failed(error instanceof Refused ? error.message : this.texts.network);
		}
		finally {
			button.disabled = false;
		}
	}
	spoken(state) {
		const before = this.phase;
		this.phase = state.phase;
		if (state.phase === "ended") {
			this.isEnded = state.fingerprint !== null || state.started_at === null;
			this.leaveWhenDone();
		}
		if (!this.isHost || before === null || before === state.phase)
			return;
		const { spoken } = this.texts;
		const wasOn = before === "recording" || before === "paused";
		let text = null;
		if (state.phase === "recording")
			text = before === "paused" ? spoken.resume : state.notice === null ? spoken.start : null;
		else if (state.phase === "paused")
			text = spoken.pause;
		else if (wasOn)
			text = spoken.end;
		const aloud = text;
		if (aloud !== null)
			void speak(aloud, this.lang).then((isSaid) => isSaid || this.screen.sayYourself(aloud));
	}
	alarm(what, isOn) {
		if (isOn && !this.alarms.has(what))
			beep();
		if (isOn)
			this.alarms.add(what);
		else
			this.alarms.delete(what);
	}
	leaveWhenDone() {
		if (this.isDone && this.isEnded)
			location.reload();
	}
}
async function enter(root) {
	const canRecord = "AudioWorkletNode" in window && navigator.mediaDevices !== undefined && crypto.subtle !== undefined;
	if (!canRecord) {
		const device = document.getElementById("device");
		if (device)
			device.textContent = textsOf(document.documentElement.lang).cannotRecord;
		return;
	}
	new Room(root, await spoolOf(root.dataset["room"] ?? ""), root.dataset["host"] === "yes");
}
const room = document.getElementById("room");
void offerReading(document.documentElement.lang);
if (room)
	void enter(room);
