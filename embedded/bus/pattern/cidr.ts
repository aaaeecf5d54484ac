import { BlockList, isIP } from 'node:net';
import { InvalidPattern } from './invalid.ts';

const familyOf = (address: string): 'ipv4' | 'ipv6' | undefined => {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
};

/** `10.0.0.0/24` or `2001:db8::/32`. A text that is no address matches nothing. */
export const compileCidr = (block: string): ((text: string) => boolean) => {
  const [address = '', bits = '', ...more] = block.split('/');
  const family = familyOf(address);
  if (!family || more.length > 0)
    throw new InvalidPattern(`Malformed CIDR ${JSON.stringify(block)}: ADDRESS/BITS is wanted`);
  const maxBits = family === 'ipv4' ? 31 : 127;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > maxBits) {
    throw new InvalidPattern(
      `Malformed CIDR ${JSON.stringify(block)}: mask bits must be an integer from 0 to ${maxBits}`,
    );
  }
  const blocks = new BlockList();
  blocks.addSubnet(address, Number(bits), family);
  return (text) => familyOf(text) === family && blocks.check(text, family);
};
