import test from 'ava';
import { VirtualClock } from '../../kernel/clock/index.ts';
import { codeOf } from '../../kernel/index.ts';
import { CallGate, HOLD_MAX_CALLS } from '../../kernel/lifecycle/call-gate.ts';

test('calls wait while held and run in the order they came', async (t) => {
  const gate = new CallGate('x');
  gate.open();
  gate.hold();
  const order: number[] = [];
  const calls = [1, 2, 3].map((n) => gate.run('x', () => void order.push(n)));
  t.is(gate.waiting, 3);
  t.deepEqual(order, []);
  gate.open();
  await Promise.all(calls);
  t.deepEqual(order, [1, 2, 3]);
});

test('a gate that is off refuses, also those who waited', async (t) => {
  const gate = new CallGate('x');
  await t.throwsAsync(() => gate.run('svc', () => 1), { code: 'lifecycle/service-off' });
  gate.open();
  gate.hold();
  const waiting = gate.run('svc', () => 1);
  gate.shut();
  await t.throwsAsync(waiting, { code: 'lifecycle/service-off' });
});

test('no more than the cap wait for one swap', async (t) => {
  const gate = new CallGate('x');
  gate.open();
  gate.hold();
  const waiting = Array.from({ length: HOLD_MAX_CALLS }, () => gate.run('x', () => 1));
  await t.throwsAsync(() => gate.run('x', () => 1), { code: 'lifecycle/hold-full' });
  gate.open();
  t.is((await Promise.all(waiting)).length, HOLD_MAX_CALLS);
});

test('a caller that gives up while waiting leaves the queue', async (t) => {
  const gate = new CallGate('x');
  gate.open();
  gate.hold();
  const controller = new AbortController();
  const call = gate.run('x', () => t.fail('must not run'), controller.signal);
  controller.abort(new Error('changed my mind'));
  await t.throwsAsync(call, { message: 'changed my mind' });
  t.is(gate.waiting, 0);
});

test('drain ends with the last running call, and aborts what outlives the limit', async (t) => {
  const clock = new VirtualClock();
  const gate = new CallGate('x');
  gate.open();
  let finish = (): void => {};
  const quick = gate.run('x', () => new Promise<void>((resolve) => (finish = resolve)));
  gate.hold();
  const drained = gate.drain(1_000, clock);
  finish();
  await Promise.all([quick, drained]);
  t.is(gate.running, 0);

  gate.open();
  const slow = gate.runAbortable(
    'x',
    (signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    new AbortController().signal,
  );
  gate.hold();
  const forced = gate.drain(1_000, clock);
  await clock.advance(1_000);
  await forced;
  await t.throwsAsync(slow, { code: 'lifecycle/swap-aborted-call' });
});

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A call that can run again: it ends with its signal, or as the test says. */
function restartable(gate: CallGate, signal?: AbortSignal) {
  const runs: (PromiseWithResolvers<string> & { readonly signal: AbortSignal })[] = [];
  const call = (own: AbortSignal): Promise<string> => {
    const run = { ...Promise.withResolvers<string>(), signal: own };
    own.addEventListener('abort', () => run.reject(own.reason));
    runs.push(run);
    return run.promise;
  };
  return { runs, result: gate.runAbortable('x', call, signal, { restart: true }) };
}

test('a swap waited its whole drain for a call that could have been begun again', async (t) => {
  const gate = new CallGate('x');
  gate.open();
  const { runs, result } = restartable(gate);
  for (let swap = 1; swap <= 3; swap++) {
    t.is(runs.length, swap);
    gate.hold();
    t.is(codeOf(runs[swap - 1]?.signal.reason), 'lifecycle/swap-aborted-call');
    // The clock stands still: the limit is not what ends the wait.
    await gate.drain(1_000, new VirtualClock());
    t.is(gate.running, 0);
    await settle();
    t.is(gate.waiting, 1);
    gate.open();
    await settle();
  }
  runs[3]?.resolve('fourth');
  t.is(await result, 'fourth');
  t.is(runs.length, 4);
});

test('a call that can run again does so for a swap alone: not when it fails, is given up, or finds its plugin off', async (t) => {
  const gate = new CallGate('x');
  gate.open();
  const failing = restartable(gate);
  failing.runs[0]?.reject(new Error('refused'));
  await t.throwsAsync(failing.result, { message: 'refused' });

  const controller = new AbortController();
  const leaving = restartable(gate, controller.signal);
  controller.abort(new Error('enough'));
  await t.throwsAsync(leaving.result, { message: 'enough' });

  const later = new AbortController();
  const waiting = restartable(gate, later.signal);
  const late = restartable(gate);
  gate.hold();
  late.runs[0]?.resolve('too late to be first');
  later.abort(new Error('enough'));
  await t.throwsAsync(waiting.result, { message: 'enough' });
  gate.shut();
  await t.throwsAsync(late.result, { code: 'lifecycle/service-off' });
  t.deepEqual(
    [failing, leaving, waiting, late].map(({ runs }) => runs.length),
    [1, 1, 1, 1],
  );
});

test('who gives up in the turn that opens the gate is not let in', async (t) => {
  const gate = new CallGate('x');
  gate.open();
  gate.hold();
  const controller = new AbortController();
  const call = gate.run('x', () => t.fail('must not run'), controller.signal);
  gate.open();
  controller.abort(new Error('enough'));
  await t.throwsAsync(call, { message: 'enough' });
});

test('a call that never ended made every later swap wait its whole drain', async (t) => {
  const gate = new CallGate('x');
  const clock = new VirtualClock();
  gate.open();
  const call = Promise.withResolvers<void>();
  const stuck = gate.run('x', () => call.promise);
  gate.hold();
  const drained = gate.drain(1_000, clock);
  await clock.advance(1_000);
  await drained;
  gate.open();
  gate.hold();
  await gate.drain(1_000, clock);
  gate.open();
  const fresh = gate.run('x', () => new Promise<void>(() => {}));
  call.resolve();
  await stuck;
  t.is(gate.running, 1);
  void fresh;
});
