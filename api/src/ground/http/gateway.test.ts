// The kernel writes routes in bytes; an address of them must read as clients' addresses do, for their hashes are compared.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewaysIn } from './gateway.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const NONE = '0'.repeat(32);

test('the gateways of the default routes are found, written as a client’s address is', () => {
  const routes = `${HEAD}\neth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n`;
  const routes6 = [
    `fd0e9a3c1b2a00000000000000000000 40 ${NONE} 00 ${NONE} 00000100 00000001 00000000 00000001     eth0`,
    `${NONE} 00 ${NONE} 00 fd0e9a3c1b2a00000000000000000001 00000400 00000002 00000000 00000003     eth0`,
    `${NONE} 00 ${NONE} 00 ${NONE} ffffffff 00000001 00000000 00200200       lo`,
  ].join('\n');
  assert.deepEqual(gatewaysIn(routes, routes6), ['172.18.0.1', 'fd0e:9a3c:1b2a::1']);
  assert.deepEqual(gatewaysIn('', ''), []);
  assert.deepEqual(gatewaysIn(`${HEAD}\n`, '\n'), []);
});
