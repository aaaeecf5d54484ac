// In the guest: the host's ports under their own numbers on 127.0.0.1. node forward.cjs 8080,16789-16799 FILE-WHEN-READY
const net = require('node:net');
const { writeFileSync } = require('node:fs');

const [, , list, ready] = process.argv;
const ports = list
  .split(',')
  .filter(Boolean)
  .flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });

let listening = 0;
for (const port of ports)
  net
    .createServer((near) => {
      const far = net.connect(port, '10.0.2.2');
      const end = () => {
        near.destroy();
        far.destroy();
      };
      for (const socket of [near, far]) socket.setNoDelay(true).on('error', end);
      near.pipe(far).pipe(near);
    })
    .listen(port, '127.0.0.1', () => {
      listening += 1;
      if (listening === ports.length) writeFileSync(ready, '');
    });
