// Makes the one file verify.html out of src/: same input, same bytes.
//
//   node build.mjs [--check]     --check: compare with the file that is there, write nothing
//
// Each module loses its types and nothing else: comments and line breaks stay, so that whoever opens
// the source of the page can read it. Then all modules stand in one scope, each after those that it
// imports. So no two may have a top-level name in common, and none may rename what it imports.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const HERE = dirname(fileURLToPath(import.meta.url));
const SRC = join(HERE, "src");
const OUT = join(HERE, "verify.html");
const IMPORT = /^import\s[^;]*?from\s"([^"]+)";\n/gm;
const REEXPORT = /^export \{[^}]*\} from "([^"]+)";\n/gm;

const { config } = ts.readConfigFile(join(HERE, "tsconfig.json"), (path) => readFileSync(path, "utf8"));
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, HERE);

/** All modules that `entry` needs, each after its own imports, in one scope. */
function bundle(entry) {
  const done = new Set();
  const open = [];
  const parts = [];
  const exported = [];
  const visit = (path) => {
    if (done.has(path)) return;
    // Two modules that need each other: whichever comes first, functions find each other when they run.
    if (open.includes(path)) return;
    open.push(path);
    const source = readFileSync(path, "utf8");
    const script = ts.transpileModule(source, { compilerOptions: options, fileName: path }).outputText;
    const isOpen = (line) => !/^\s*(\/\/|\/?\*)/.test(line) && (line.match(/`/g)?.length ?? 0) % 2 === 1;
    if (script.split("\n").some(isOpen)) throw new Error(`${path}: a text of several lines`);
    if (/^import\s.*\bas\b/m.test(script) || /^export (default|\*)/m.test(script)) throw new Error(`${path}: renames`);
    const needed = [...script.matchAll(IMPORT), ...script.matchAll(REEXPORT)].map((found) => found[1]);
    for (const name of needed) visit(join(dirname(path), `${name}.ts`));
    for (const [line] of script.matchAll(REEXPORT)) exported.push(...line.match(/\{([^}]*)\}/)[1].split(",").map((name) => name.trim()));
    const body = script.replace(IMPORT, "").replace(REEXPORT, "").replace(/^export (?=\w)/gm, "").replace(/^export \{\};\n/gm, "").trim()
      // The compiler indents by four spaces; a tab says the same and is shorter.
      .replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
    if (/^(import|export)\s/m.test(body)) throw new Error(`${path}: an import or export in a form that is not known here`);
    if (body) parts.push(`// ── ${relative(SRC, path).replaceAll("\\", "/")}\n\n${body}\n`);
    open.pop();
    done.add(path);
  };
  visit(join(SRC, entry));
  const names = [...parts.join("\n").matchAll(/^(?:const|let|class|(?:async )?function\*?)\s+(\w+)/gm)].map((found) => found[1]);
  const twice = names.filter((name, place) => names.indexOf(name) !== place);
  if (twice.length > 0) throw new Error(`top-level names that occur twice: ${twice.join(", ")}`);
  const tail = exported.length > 0 ? `\nexport { ${exported.filter(Boolean).join(", ")} };\n` : "";
  return `\n${parts.join("\n")}${tail}`;
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

function page() {
  const core = bundle("main.ts");
  const ui = bundle("page/main.ts");
  const style = `\n${readFileSync(join(SRC, "page/style.css"), "utf8")}`;
  for (const text of [core, ui, style]) if (/<\/(script|style)|<!--/i.test(text)) throw new Error("a tag in the source");
  // No other host, no eval, no form: only what is in this file, and sound and workers made by it.
  const policy = `default-src 'none'; script-src ${hash(ui)} blob:; worker-src blob:; style-src ${hash(style)}; media-src blob:; base-uri 'none'; form-action 'none'`;
  const template = readFileSync(join(SRC, "page/page.html"), "utf8");
  const marks = { POLICY: policy, STYLE: style, CORE: core, PAGE: ui };
  return template.replace(/\{\{([A-Z]+)\}\}/g, (_, name) => marks[name]);
}

const made = page();
if (process.argv.includes("--check")) {
  if (readFileSync(OUT, "utf8") !== made) {
    console.error("verify.html is not what its source makes: run `node build.mjs` in verifier/");
    process.exit(1);
  }
} else {
  writeFileSync(OUT, made);
  console.log(`verify.html: ${made.length} characters`);
}
