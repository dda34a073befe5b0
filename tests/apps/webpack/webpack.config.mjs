export default {
  mode: "production",
  entry: "./main.js",
  output: { filename: "bundle.js", clean: true },
  // It would warn of every file over 244 kB, and a model is one.
  performance: { hints: false },
};
