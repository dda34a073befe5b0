// Coming from transformers.js: the app is the same on both, but for the import and where models come
// from. Both compute with the same weights, here and in ONNX, in the same browser.

import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { leastCosine, near } from "../kit/expect.mjs";
import { run } from "../kit/program.mjs";
import { program } from "../kit/project.mjs";
import { visitFolder } from "../kit/visit.mjs";
import { toOnnx } from "../migration/onnx.mjs";

const TINY = join(dirname(fileURLToPath(import.meta.url)), "../../goldens/tiny");

export const stories = {
  migration: (told) => migrated(told, join(TINY, "bert-embed")),

  "migration of MiniLM": (told) => {
    if (!told.minilm) throw new Error("--minilm does not say where all-MiniLM-L6-v2 is");
    return migrated(told, told.minilm);
  },
};

async function migrated({ project }, embedder) {
  const folder = join(project.folder, "migration");
  const classifier = join(TINY, "bert-classify");
  await run(program(project, "vite"), ["build", "--logLevel", "error"], { cwd: folder });
  const mounts = [
    ...(await onHub(folder, classifier)),
    ...(await onHub(folder, embedder)),
    ["/ort/", join(project.modules, "onnxruntime-web/dist")],
    ["/", join(folder, "dist")],
  ];
  const asked = (page) => visitFolder(mounts, { path: `/${page}.html?embedder=${basename(embedder)}` });
  const ours = await asked("trireme");
  const theirs = await asked("transformers");
  const scores = [ours, theirs].map(({ answer }) => [...answer.labels, ...answer.all]);
  scores[0].forEach(({ label, score }, at) => {
    const other = scores[1][at];
    if (label !== other.label) throw new Error(`label ${at}: expected ${other.label}, got ${label}`);
    near(score, other.score, 1e-4, `the score of ${label}`);
  });
  const cosine = leastCosine(ours.answer, theirs.answer);
  near(cosine, 1, 1e-4, "the cosine of both libraries' vectors");
  const width = ours.answer.dims[1];
  const [our, their] = [ours, theirs].map(({ line }) => `${Math.round(line.bytes / 1000)} kB`);
  return [
    "one app on two libraries: labels and scores agree",
    `vectors of ${width} have a cosine of ${cosine.toFixed(7)}`,
    `${our} until the first answer, ${their} with transformers.js`,
  ].join(", ");
}

/** A model's folder as a hub shows it, with its graph beside its weights. */
async function onHub(folder, model) {
  const graphs = join(folder, "onnx", basename(model));
  await mkdir(graphs, { recursive: true });
  await toOnnx(model, join(graphs, "model.onnx"));
  const root = `/acme/${basename(model)}/resolve/main/`;
  return [[`${root}onnx/`, graphs], [root, model]];
}
