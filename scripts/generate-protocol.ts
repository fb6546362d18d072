import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyMessage } from '../kernel/sdk/message.ts';
import type { AnyPlugin } from '../kernel/sdk/plugin.ts';
import { CLOSE_CODES } from '../kernel/sdk/network.ts';
import { CATALOGUE, REFUSED_CODE, RESERVED_CODES, hexCode } from '../kernel/wire/catalogue.ts';
import { RESET_CODES } from '../kernel/wire/limits.ts';

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
    'answered by one response frame on its bi-stream.',
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
    `Reserved, never to be used again: ${RESERVED_CODES.map(hexCode).join(', ')}.`,
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
    ...Object.entries(CLOSE_CODES).map(([name, code]) => `- ${hexCode(code)} ${name}`),
    '',
  ].join('\n');
}

function rawOf(message: AnyMessage | undefined): string {
  const raw = message?.response?.raw;
  return raw === undefined ? '' : `; up to ${raw.maxBytes.toLocaleString('en')} raw bytes may follow the response`;
}
