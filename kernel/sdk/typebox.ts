/**
 * The one door to TypeBox: the build puts it and the 680 files behind it into this one, which a start would
 * otherwise spend a third of its time on (docs/decisions/start-time.md).
 */
export type {
  Static,
  TInteger,
  TObject,
  TProperties,
  TSchema,
  TString,
  TUnsafe,
} from 'typebox';
export { Type } from 'typebox';
export { Compile, type Validator } from 'typebox/compile';
export { Value } from 'typebox/value';
