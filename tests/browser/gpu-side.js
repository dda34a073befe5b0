// Worn by the engine's worker in a browser with a GPU: keeps the devices that the engine opens, and
// counts what it asks of them. `?broken` before it is imported makes shaders compute something else.

const devices = [];
let gone = false;
const counts = { dispatches: 0, submits: 0, readBacks: 0, shaders: 0, groups: 0, written: 0, read: 0 };

/** What the bridge asks the worker for. */
globalThis.gpuSide = {
  counts: () => ({ ...counts }),
  /** Takes the devices away from the engine; `forGood`, there will be no other. */
  lose: (forGood) => {
    gone ||= forGood;
    devices.splice(0).forEach((device) => device.destroy());
  },
};

/** Does something before a method of the browser's own runs. */
function before(type, name, look) {
  const own = type?.prototype[name];
  if (!own) return;
  type.prototype[name] = function (...args) {
    return own.apply(this, look.call(this, args) ?? args);
  };
}

const size = (data) => data.byteLength ?? data.length;

before(self.GPUComputePassEncoder, "dispatchWorkgroups", () => void counts.dispatches++);
before(self.GPUQueue, "submit", ([buffers]) => void (counts.submits += [...buffers].length > 0));
before(self.GPUQueue, "writeBuffer", ([, , data, , length]) => {
  counts.written += length ?? size(data);
});
before(self.GPUBuffer, "mapAsync", function ([, , length]) {
  counts.readBacks++;
  counts.read += length ?? this.size;
});
before(self.GPUDevice, "createBindGroup", () => void counts.groups++);
before(self.GPUDevice, "createShaderModule", ([descriptor]) => {
  counts.shaders++;
  if (!new URL(import.meta.url).searchParams.has("broken")) return undefined;
  const code = descriptor.code.replaceAll("exp(scores[j] - top)", "exp(top - scores[j] + 1.0)");
  return [{ ...descriptor, code: code.replaceAll("0.5 * x * (1.0 + erf", "0.9 * x * (0.2 - erf") }];
});

const request = self.GPUAdapter?.prototype.requestDevice;
if (request) {
  self.GPUAdapter.prototype.requestDevice = async function (...args) {
    if (gone) throw new Error("there is no device any more");
    const device = await request.apply(this, args);
    devices.push(device);
    return device;
  };
}
