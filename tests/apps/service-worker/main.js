const { serviceWorker } = navigator;
const answer = new Promise((came) => serviceWorker.addEventListener("message", ({ data }) => came(data)));
await serviceWorker.register("/worker.js", { type: "module" });
(await serviceWorker.ready).active.postMessage("what do you say?");
document.querySelector("#answer").textContent = await answer;
