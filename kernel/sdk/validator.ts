import { type Static, type TSchema, Compile } from './typebox.ts';

/** A schema compiled to code, for values from outside. */
export interface Validator<T = unknown> {
  check(value: unknown): value is T;
  /** Where and why `value` does not match, in a few words. Slow. */
  explain(value: unknown): string;
}

const compiled = new WeakMap<TSchema, Validator>();

/** The compiled form of a schema; compiled at the first call, once per schema object. */
export function validatorOf<Schema extends TSchema>(schema: Schema): Validator<Static<Schema>> {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    const program = Compile<TSchema>(schema);
    validator = {
      check: (value): value is unknown => program.Check(value),
      explain: (value) => {
        const first = program.Errors(value)[0];
        return first === undefined ? 'valid' : `${first.instancePath || '/'} ${first.message}`;
      },
    };
    compiled.set(schema, validator);
  }
  return validator as Validator<Static<Schema>>;
}
