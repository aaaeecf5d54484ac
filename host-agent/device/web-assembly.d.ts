/** Node has WebAssembly.Memory, but its type stands only in the DOM's library, which this project does not load. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number });
    readonly buffer: ArrayBuffer;
  }
}
