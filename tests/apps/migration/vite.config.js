export default {
  build: { rolldownOptions: { input: ["trireme.html", "transformers.html"] } },
};
