// Makes the scripts that the server hands out from src/: same input, same bytes.
//
//   node build.mjs [--check]     --check: compare with the files that are there, write nothing
//
// Modules lose their types and their comments, and stand in one scope, each after those that it
// imports. So no two may have a top-level name in common, and none may rename what it imports.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const HERE = dirname(fileURLToPath(import.meta.url));
const SRC = join(HERE, "src");
const ASSETS = join(HERE, "../assets");
const IMPORT = /^import\s[^;]*?from\s"([^"]+)";\n/gm;

const { config } = ts.readConfigFile(join(HERE, "tsconfig.json"), (path) => readFileSync(path, "utf8"));
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, HERE);

/** All modules that the entries need, each after its own imports. With `exports`, what they export can be imported. */
export function bundle(entries, { exports = false } = {}) {
  const done = new Set();
  const parts = [];
  const exported = [];
  const visit = (path) => {
    if (done.has(path)) return;
    done.add(path);
    const source = readFileSync(path, "utf8");
    const script = ts.transpileModule(source, { compilerOptions: options, fileName: path }).outputText;
    if (/^import\s.*\bas\b/m.test(script) || /^export (default|\*|\{ )/m.test(script)) throw new Error(`${path}: renames`);
    for (const [, name] of script.matchAll(IMPORT)) visit(join(dirname(path), `${name}.ts`));
    exported.push(...[...script.matchAll(/^export (?:const|class|(?:async )?function)\s+(\w+)/gm)].map((found) => found[1]));
    const body = script.replace(IMPORT, "").replace(/^export (?=\w)/gm, "").replace(/^export \{\};\n/gm, "").trim()
      .replace(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
    if (/^(import|export)\s/m.test(body)) throw new Error(`${path}: an import or export in a form that is not known here`);
    if (body) parts.push(body);
  };
  for (const entry of entries) visit(join(SRC, entry));
  const text = parts.join("\n");
  const names = [...text.matchAll(/^(?:const|let|class|(?:async )?function\*?)\s+(\w+)/gm)].map((found) => found[1]);
  const twice = names.filter((name, place) => names.indexOf(name) !== place);
  if (twice.length > 0) throw new Error(`top-level names that occur twice: ${twice.join(", ")}`);
  return exports ? `${text}\nexport { ${exported.join(", ")} };\n` : `"use strict";\n${text}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [entry, name] of [["main.ts", "room.js"], ["sound/worklet.ts", "capture.js"], ["upload/main.ts", "import.js"]]) {
    const made = bundle([entry]);
    const out = join(ASSETS, name);
    if (!process.argv.includes("--check")) {
      writeFileSync(out, made);
      console.log(`${name}: ${made.length} characters`);
    } else if (readFileSync(out, "utf8") !== made) {
      console.error(`${name} is not what its source makes: run \`node build.mjs\` in crates/web/island/`);
      process.exit(1);
    }
  }
}
