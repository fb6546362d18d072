import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyMessage } from '../kernel/sdk/message.ts';
import type { AnyPlugin } from '../kernel/sdk/plugin.ts';
import { REFUSED } from '../kernel/transport/quic/native-state.ts';
import { CLOSE_CODES } from '../kernel/sdk/network.ts';
import { CATALOGUE, REFUSED_CODE, RESERVED_CODES, hexCode } from '../kernel/wire/catalogue.ts';
import { HEADER_DEADLINE_MS, RESET_CODES, SHARED_INCOMING_MAX, SHARED_UNANSWERED_MAX } from '../kernel/wire/limits.ts';
import { CAPSULE_KINDS } from '../kernel/wire/shared/capsule.ts';

/** A message with the plugin that serves it. */
export interface ServedMessage {
  readonly plugin: string;
  readonly message: AnyMessage;
}

/** The messages of all built-in plugins, by code and then name. */
export async function servedMessages(dist: string): Promise<ServedMessage[]> {
  const folder = join(dist, 'plugins');
  const files = readdirSync(folder)
    .map((name) => join(folder, name, 'plugin.js'))
    .filter((file) => existsSync(file));
  const plugins = await Promise.all(
    files.map(async (file) => ((await import(pathToFileURL(file).href)) as { default: AnyPlugin }).default),
  );
  return plugins
    .flatMap(({ name, messages }) =>
      Object.values<AnyMessage>(messages ?? {}).map((message) => ({ plugin: name, message })),
    )
    .sort((a, b) => (a.message.code ?? 0xf0) - (b.message.code ?? 0xf0) || (a.message.name < b.message.name ? -1 : 1));
}

/** `docs/protocol.md`: every code, what it means, who answers it and which plugin serves it. */
export async function protocolPage(dist: string): Promise<string> {
  const served = await servedMessages(dist);
  const ofCode = (code: number) =>
    served.find(({ message }) => message.code === code) ??
    served.find(({ message }) => message.response?.code === code);
  const extensions = served.filter(({ message }) => message.code === undefined);
  return [
    '# Protocol `itsgoin/3`',
    '',
    'Generated from the code by `npm run docs`.',
    '',
    'One QUIC connection (ALPN `itsgoin/3`) carries all messages. A notice is one frame on a uni-stream; a request is',
    'answered by one response frame on its bi-stream. Between peers that offer it, small frames share streams, see below.',
    '',
    '| offset | bytes | field |',
    '|---|---|---|',
    '| 0 | 1 | type: a code of the table below |',
    '| 1 | 4 | length of the payload, big-endian, at most 16 MiB |',
    '| 5 | length | payload: one JSON object in strict UTF-8, nested at most 64 deep |',
    '| 5 + length | `raw_bytes` | behind a response that has this field: raw bytes, see below; otherwise ignored |',
    '',
    'Unknown fields are ignored. A code or name nobody serves is refused with `unsupported` on a bi-stream and ignored on',
    'a uni-stream.',
    '',
    '| code | name | stream | answered by | plugin | meaning |',
    '|---|---|---|---|---|---|',
    ...CATALOGUE.map(({ code, name, stream, answeredBy, about }) => {
      const answer = answeredBy === undefined ? '' : hexCode(answeredBy);
      return `| ${hexCode(code)} | ${name} | ${stream} | ${answer} | ${ofCode(code)?.plugin ?? '*not yet*'} | ${about}${rawOf(ofCode(code)?.message)} |`;
    }),
    `| ${hexCode(0xf0)} | extension | uni, bi | ${hexCode(0xf0)} | any | \`{name, body}\`: a message by namespaced, versioned name |`,
    `| ${hexCode(REFUSED_CODE)} | Refused | bi | | kernel | \`{code, retry_after_ms?}\`: the request is not answered |`,
    '',
    `Reserved, never to be used again: ${RESERVED_CODES.map(hexCode).join(', ')}. 0xF2 and 0xF3 begin no frame: see shared streams.`,
    '',
    '## Extension messages of the built-in plugins',
    '',
    '| name | stream | plugin | meaning |',
    '|---|---|---|---|',
    ...extensions.map(
      ({ plugin, message }) =>
        `| \`${message.name}\` | ${message.stream} | ${plugin} | ${message.about}${rawOf(message)} |`,
    ),
    '',
    'The response to `vendor/message@1` is an extension frame named `vendor/message@1:response`.',
    '',
    '## Shared streams',
    '',
    'To a peer that offers the feature `shared-streams`, frames with a payload of at most 4 KiB may be sent on a long-lived',
    'bi-stream, one for each priority of messages. Its opener sends the byte 0xF2 and then capsules; capsules come back on the',
    'other half. Whether a frame shares a stream or has its own, it is the same frame with the same budget, deadline and answer,',
    'and who offers the feature takes it either way.',
    '',
    '| offset | bytes | field of a capsule |',
    '|---|---|---|',
    '| 0 | 1 | kind, see below |',
    '| 1 | 4 | id of the request, big-endian; chosen by who asks, and free again once the request is answered or called off; 0 with a notice |',
    '| 5 | 5 | type and length of the frame, as above |',
    '| 10 | length | payload of the frame |',
    '',
    '| kind | name | sent by | meaning |',
    '|---|---|---|---|',
    `| ${hexCode(CAPSULE_KINDS.notice)} | notice | opener | what would be a uni-stream |`,
    `| ${hexCode(CAPSULE_KINDS.request)} | request | opener | what would be the opener's half of a bi-stream |`,
    `| ${hexCode(CAPSULE_KINDS.answer)} | answer | the other | the response frame, or Refused |`,
    `| ${hexCode(CAPSULE_KINDS.reset)} | reset | both | the request is called off, or will not be answered; the reset code is in the type byte, the length is 0 |`,
    `| ${hexCode(CAPSULE_KINDS.elsewhere)} | elsewhere | the other | the answer comes on the uni-stream with this QUIC stream id (8 bytes); type 0xF3 |`,
    '',
    `An answer whose payload is longer than 4 KiB comes on a uni-stream of its own: the byte 0xF3, the id, the frame. Requests`,
    `that may have raw bytes behind their response never share a stream. At most ${SHARED_UNANSWERED_MAX} requests of one shared stream are without`,
    `an answer; a further one is refused \`over-capacity\`. A peer may have ${SHARED_INCOMING_MAX} shared streams open; a further one is reset. A`,
    'capsule that is none of these, and an id used twice, are malformed and reset the stream, and the rest of one that has',
    `begun has to come within ${HEADER_DEADLINE_MS / 1_000} s. With the stream end the calls on it, as if each had been reset; the sender then falls back to`,
    'streams of their own.',
    '',
    '## Raw bytes behind a response',
    '',
    'Where the table says so, and where both peers offer the feature `raw-blob`, the body of a response may have the field',
    '`raw_bytes`: so many bytes follow the frame on the same stream, which then ends. Who asks keeps its own half of the',
    'stream open until it has them, so that its reset tells the other side to stop. Fewer or more bytes than announced are an',
    'error and cost misbehaviour points. Of each body 16 KiB, or the rest, have to move within its idle limit (10 s unless the',
    'message says otherwise). A reload of the plugin that sends them ends them with the reset code `interrupted`.',
    '',
    '## Refusal codes',
    '',
    'Only the first three and `interrupted` say that trying again may help, after `retry_after_ms` where it is given.',
    '',
    '| code | why | handled? |',
    '|---|---|---|',
    '| `rate-limited` | over the budget of this message | no |',
    '| `over-capacity` | no room for it now | no |',
    '| `deadline` | not done in time | perhaps |',
    '| `interrupted` | its plugin was reloaded and did not end in time | perhaps |',
    '| `unsupported` | nobody serves it, or its plugin is off | no |',
    '| `malformed` | no valid frame, JSON or body; costs misbehaviour points | no |',
    '| `too-large` | over the size limit of this message; costs misbehaviour points | no |',
    '| `failed` | the handler failed | perhaps |',
    '| `<area>/<name>` | an error of the handler that peers may see, see [errors](errors.md) | as it says |',
    '',
    '## Stream reset codes',
    '',
    ...Object.entries(RESET_CODES).map(([name, code]) => `- ${hexCode(code)} ${name}`),
    '',
    '## Connection close codes',
    '',
    `A dialler may send before it has the Accept. A close whose reason phrase is \`${REFUSED}\` says that the connection was`,
    'never taken and nothing that was sent on it has been read.',
    '',
    ...Object.entries(CLOSE_CODES).map(([name, code]) => `- ${hexCode(code)} ${name}`),
    '',
  ].join('\n');
}

function rawOf(message: AnyMessage | undefined): string {
  const raw = message?.response?.raw;
  return raw === undefined ? '' : `; up to ${raw.maxBytes.toLocaleString('en')} raw bytes may follow the response`;
}
