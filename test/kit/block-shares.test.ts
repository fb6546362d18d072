import test from 'ava';
import { BlockShares } from '../../kernel/index.ts';

const household = { name: '2001:db8::/64', shares: 1 };
const site = { name: '2001:db8::/48', shares: 4 };

test('a block holds its shares and no more, and what is given back is free again', (t) => {
  const shares = new BlockShares();
  for (let n = 0; n < 3; n++) {
    t.true(shares.hasRoom([household], 3));
    shares.add([household]);
  }
  t.false(shares.hasRoom([household], 3));
  t.is(shares.usedOf([household], 4), 0.75);
  shares.remove([household]);
  t.true(shares.hasRoom([household], 3));
});

test('many households of one site have four shares together', (t) => {
  const shares = new BlockShares();
  let held = 0;
  for (let n = 0; n < 50; n++) {
    const blocks = [{ name: `2001:db8:0:${n}::/64`, shares: 1 }, site];
    if (!shares.hasRoom(blocks, 2)) continue;
    shares.add(blocks);
    held++;
  }
  t.is(held, 8);
});

test('what belongs to no block is not counted', (t) => {
  const shares = new BlockShares();
  for (let n = 0; n < 10; n++) shares.add([]);
  t.true(shares.hasRoom([], 1));
});
