// Gives the event loop its turn. A message to oneself queues behind the events that are due, and
// unlike a timer it is never slowed down.
export function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      // An open port would live until it is collected.
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
