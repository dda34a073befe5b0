// The service worker: it keeps the site's own files and the package's, all of one version, and gives
// those before it asks the network. Everything else goes past it.

/** What the build says: the files, as addresses beside this script, and what stands for their content. */
declare const FILES: readonly string[];
declare const VERSION: string;

/** What of a service worker's scope is used; TypeScript has it only in place of a page's. */
interface Scope {
  clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", hear: (event: Lasting) => void): void;
  addEventListener(type: "fetch", hear: (event: Asked) => void): void;
}

interface Lasting {
  waitUntil(work: Promise<unknown>): void;
}

interface Asked {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const PREFIX = "trireme-site-";
const NAME = PREFIX + VERSION;
const KEPT = new Set(FILES.map((file) => new URL(file, location.href).href));
const scope = self as unknown as Scope;

scope.addEventListener("install", (event) => event.waitUntil(keep()));
scope.addEventListener("activate", (event) => event.waitUntil(takeOver()));
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const [address = ""] = request.url.split(/[?#]/);
  // A part of a file is the network's: what is kept is whole.
  if (request.method !== "GET" || request.headers.has("range") || !KEPT.has(address)) return;
  event.respondWith(answer(address, request));
});

/** All of the files, or the version is not there. */
async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  // What the browser has from before is asked about: it may be of another version.
  await cache.addAll([...KEPT].map((address) => new Request(address, { cache: "no-cache" })));
}

/** Pages of the version before are closed by now. */
async function takeOver(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** What is kept, with the headers that it came with; from the network where the browser took it away. */
async function answer(address: string, request: Request): Promise<Response> {
  // Opening a cache makes it; this version's may be gone, when the next one takes over.
  const found = await caches.match(address, { cacheName: NAME });
  if (!found) return fetch(request);
  // Some hosts send `page.html` on to `page`; browsers take no such answer for a page.
  return found.redirected ? new Response(found.body, found) : found;
}
