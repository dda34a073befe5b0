// Makes the site: pages out of a frame and parts, a script for each, and what keeps them offline.

import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const site = dirname(fileURLToPath(import.meta.url));
const www = dirname(site);

const SCRIPTS = ["main", "search", "map", "benchmark", "places"];

// The pictures in dots are the others, for phones that draw no SVG on their first screen.
const ICONS = ["icon.svg", "icon-maskable.svg", "icon-180.png", "icon-512.png"];

/** What pages take of the package. */
const OF_THE_PACKAGE = [
  "index.js",
  "worker.js",
  "helper.js",
  "engine/trireme_bg.wasm",
  "engine-relaxed/trireme_bg.wasm",
  "engine-threads/trireme_bg.wasm",
  "models/default/default.bin",
];

/** Makes all but the offline script, by esbuild's `build` with the package's options. */
export async function buildSite(folder, build, options) {
  await build({
    ...options,
    entryPoints: [...SCRIPTS.map((name) => join(site, `${name}.ts`)), join(site, "style.css")],
    outdir: join(folder, "site"),
  });
  for (const page of pages()) writeFileSync(join(folder, page), framed(page));
  for (const icon of ICONS) cpSync(join(site, icon), join(folder, "site", icon));
  cpSync(join(site, "manifest.webmanifest"), join(folder, "manifest.webmanifest"));
}

/** Makes the offline script, which names every other file: the last thing to make. */
export async function buildOffline(folder, build, options) {
  const files = [
    ...pages(),
    "manifest.webmanifest",
    "site/style.css",
    ...SCRIPTS.map((name) => `site/${name}.js`),
    ...ICONS.map((icon) => `site/${icon}`),
    ...OF_THE_PACKAGE.map((file) => `trireme/${file}`),
  ];
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(folder, file)));
  // Hosts have the first page at the folder's own address.
  const addresses = files.map((file) => (file === "index.html" ? "./" : file));
  await build({
    ...options,
    entryPoints: [{ in: join(site, "offline.ts"), out: "sw" }],
    outdir: folder,
    define: {
      FILES: JSON.stringify(addresses),
      VERSION: JSON.stringify(hash.digest("hex").slice(0, 16)),
    },
  });
}

function pages() {
  return readdirSync(www).filter((name) => name.endsWith(".html"));
}

/** A page in the frame; what belongs in the head comes before `<main`. */
function framed(page) {
  const text = readFileSync(join(www, page), "utf8");
  const at = text.indexOf("<main");
  const link = `<a href="${page === "index.html" ? "./" : page}">`;
  return part("frame")
    .replace(link, link.replace(">", ' aria-current="page">'))
    .replace("<!-- head -->", () => text.slice(0, at).trim())
    .replace("<!-- main -->", () => withParts(text.slice(at).trim()));
}

/** Parts stand where a comment has their name. */
function withParts(text) {
  return text.replace(/<!-- (loading|model|work) -->/g, (_, name) => withParts(part(name).trim()));
}

function part(name) {
  return readFileSync(join(site, "parts", `${name}.html`), "utf8");
}
