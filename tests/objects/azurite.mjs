// An Azure of its own, with an empty container called `shop`, for as long as somebody holds its
// input.
//
//     AZURITE_ACCOUNTS=ACCOUNT:KEY node azurite.mjs NODE_MODULES
//
// The URL that it says ends in a token for all that the account has.

import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "/"));
const { default: Configuration } = require("azurite/dist/src/blob/BlobConfiguration");
const { default: Server } = require("azurite/dist/src/blob/BlobServer");

const kept = { enableAccessLog: false, isMemoryPersistence: true };
const server = new Server(Object.assign(new Configuration("127.0.0.1", 0), kept));
await server.start();

const [account, key] = process.env.AZURITE_ACCOUNTS.split(":");
const [sp, ss, srt, spr, sv] = ["rwdlac", "b", "sco", "https,http", "2020-10-02"];
const se = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, "");
const signed = [account, sp, ss, srt, "", se, "", spr, sv, ""].join("\n");
const sig = createHmac("sha256", Buffer.from(key, "base64")).update(signed).digest("base64");
const query = new URLSearchParams({ sp, ss, srt, se, spr, sv, sig });

const url = `${server.getHttpServerAddress()}/${account}`;
const made = await fetch(`${url}/shop?restype=container&${query}`, { method: "PUT" });
if (!made.ok) throw new Error(`no container: ${made.status} ${await made.text()}`);
console.log(`listening on ${url}?${query}`);

process.stdin.resume().on("end", () => process.exit());
