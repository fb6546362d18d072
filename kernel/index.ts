/** The only door to the kernel: what a plugin may import. */
export { Type, type Static, type TSchema } from './sdk/typebox.ts';
export {
  type AnswerReader,
  type AnswersOf,
  anyAnswer,
  answerOf,
  answerOrNothing,
  listOf,
  noAnswer,
  yesOrNo,
} from './sdk/answers.ts';
export * from './sdk/blob-files.ts';
export * from './sdk/clock.ts';
export * from './sdk/command.ts';
export * from './sdk/data-files.ts';
export * from './sdk/database.ts';
export * from './sdk/errors.ts';
export * from './sdk/identifiers.ts';
export * from './sdk/kit/abort.ts';
export { BlockRows, blocksColumns } from './sdk/kit/block-rows.ts';
export { type AddressBlock, BlockShares } from './sdk/kit/block-shares.ts';
export * from './sdk/kit/bounded-map.ts';
export * from './sdk/kit/canonical.ts';
export { type ChunkSource, chunksOf, EMPTY_CHUNKS_MAX } from './sdk/kit/chunks.ts';
export * from './sdk/kit/freeze.ts';
export * from './sdk/kit/ids.ts';
export * from './sdk/kit/rate-limiter.ts';
export { oneLine, safeLine, safeText } from './sdk/kit/safe-text.ts';
export * from './sdk/kit/shared-work.ts';
export * from './sdk/kit/wait-list.ts';
export * from './sdk/known-ids.ts';
export * from './sdk/lifecycle-topics.ts';
export * from './sdk/log.ts';
export * from './sdk/message.ts';
export * from './sdk/network.ts';
export * from './sdk/part.ts';
export * from './sdk/plugin.ts';
export * from './sdk/raw-body.ts';
export * from './sdk/point.ts';
export * from './sdk/sealer.ts';
export * from './sdk/signer.ts';
export * from './sdk/sockets.ts';
export * from './sdk/token.ts';
export * from './sdk/topic.ts';
export { type Validator, validatorOf } from './sdk/validator.ts';
export {
  ACTIONS,
  ACTIVITY,
  FIGURES,
  PANE,
  STALE_ANSWERS,
  type UiAction,
  type UiActivity,
  type UiFigure,
  type UiLine,
  type UiPane,
  type UiStaleAnswers,
} from './sdk/ui/index.ts';
export { type LinkedSignal, linkSignals } from './clock/linked-signal.ts';
export { type Aead, aead, AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from './identity/aead.ts';
export { type Blake3Hasher, blake3, blake3DeriveKey, blake3Hasher, blake3Hex } from './identity/hash.ts';
export * from './identity/proof.ts';
export * from './identity/records.ts';
export { SIGNATURE_BYTES, verifySignature, verifySignatureAsync } from './identity/signature.ts';
export { placeOf } from './transport/address.ts';
export { lifecycleCode, transportCode, wireCode } from './failure-codes.ts';
export { GroupCommit, type GroupCommitOptions } from './store/group-commit.ts';
