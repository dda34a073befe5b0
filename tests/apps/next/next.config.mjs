import { fileURLToPath } from "node:url";

export default {
  output: "export",
  // Where the app ends; else Next.js looks for lock files above it.
  turbopack: { root: fileURLToPath(new URL("..", import.meta.url)) },
};
