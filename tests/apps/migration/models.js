// What the app is given on either side: models by their ids on a hub, and how they compute.

const EMBEDDER = new URLSearchParams(location.search).get("embedder");

export const models = { classifier: "acme/bert-classify", embedder: `acme/${EMBEDDER}` };
export const options = { dtype: "fp32", device: "wasm" };
