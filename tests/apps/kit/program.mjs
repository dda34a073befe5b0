// Programs that a test runs.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Whatever hangs longer than this never ends. */
const PATIENCE = 300_000;

/** What a program prints until it ends by itself; an error with all of it where it ends badly. */
export function run(program, args, { cwd, env = {}, patience = PATIENCE } = {}) {
  const options = { cwd, env: { ...process.env, ...env }, timeout: patience, maxBuffer: 1 << 26 };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, out, complaints) => {
      if (!error) return resolve(out);
      const how = error.killed ? `did not end within ${patience / 1000} s` : `ended with ${error.code}`;
      reject(new Error(`${[program, ...args].join(" ")} ${how}:\n${complaints}${out}`));
    });
  });
}

/** Starts a program that goes on until it is ended, and waits for a line; `of` finds in it what is
 *  wanted. */
export async function start(program, args, { cwd, env = {}, of }) {
  const stdio = ["ignore", "pipe", "pipe"];
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio, timeout: PATIENCE });
  const ended = once(child, "exit").catch(() => {});
  const end = async () => {
    child.kill();
    await ended;
  };
  let said = "";
  child.stderr.on("data", (data) => (said += data));
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`;
    const found = of(line);
    if (found === undefined) continue;
    // What it says from here on is read and thrown away, so that it never waits for a reader.
    child.stdout.resume();
    return { found, end };
  }
  throw new Error(`${program} ended before it was ready:\n${said}`);
}
