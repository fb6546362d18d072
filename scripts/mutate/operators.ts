import type { AnyNode, CallExpression, Expression, MemberExpression } from 'acorn';

/** A change of one place of a source text. */
export interface Edit {
  readonly operator: string;
  /** Offsets in characters; what lies between them is replaced by `text`. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** `parents` begin with the innermost. */
type Operator = (node: AnyNode, parents: readonly AnyNode[], source: string) => readonly Edit[];

const BOUNDARY = new Map([
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
]);
const NEGATION = new Map([
  ['<', '>='],
  ['<=', '>'],
  ['>', '<='],
  ['>=', '<'],
  ['===', '!=='],
  ['!==', '==='],
]);
const ARITHMETIC = new Map([
  ['+', '-'],
  ['-', '+'],
  ['*', '/'],
  ['/', '*'],
  ['%', '*'],
  ['+=', '-='],
  ['-=', '+='],
  ['<<', '>>'],
  ['>>', '<<'],
  ['>>>', '<<'],
]);
const LOGICAL = new Map([
  ['&&', '||'],
  ['||', '&&'],
  ['??', '&&'],
]);
const METHODS = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
  ['startsWith', 'endsWith'],
  ['endsWith', 'startsWith'],
]);
/** Calls that leave what they are called on as it is, but for the order or the choice of its elements. */
const STEPS = new Set(['filter', 'slice', 'sort', 'toSorted', 'reverse', 'toReversed', 'subarray']);

/**
 * What may be done to one node. Removing an `await` is not among them: whether a test sees it depends
 * on the order of microtasks. Loops' own steps neither, since most only make an endless loop.
 */
export const OPERATORS: readonly Operator[] = [
  binary,
  logical,
  condition,
  negation,
  booleanLiteral,
  comparedString,
  step,
  removedCall,
  emptiedReturn,
  optionalChain,
  method,
];

function binary(node: AnyNode, _parents: readonly AnyNode[], source: string): Edit[] {
  if (node.type !== 'BinaryExpression' && node.type !== 'AssignmentExpression') return [];
  const { left, right, operator } = node;
  const at = source.indexOf(operator, left.end);
  const replaced = (name: string, by: string | undefined): Edit[] =>
    by === undefined ? [] : [{ operator: name, start: at, end: at + operator.length, text: by }];
  return [
    ...replaced('boundary', BOUNDARY.get(operator)),
    ...replaced('comparison', NEGATION.get(operator)),
    // Adding to a text is not arithmetic, and the values of constants are held by docs/limits.md.
    ...(isText(left) || isText(right) || (isConstant(left) && isConstant(right))
      ? []
      : replaced('arithmetic', ARITHMETIC.get(operator))),
  ];
}

function logical(node: AnyNode, _parents: readonly AnyNode[], source: string): Edit[] {
  if (node.type !== 'LogicalExpression') return [];
  const by = LOGICAL.get(node.operator);
  // The mixture of ?? with the others must be in parentheses.
  const text = `((${textOf(node.left, source)}) ${by} (${textOf(node.right, source)}))`;
  return [{ operator: 'logical', start: node.start, end: node.end, text }];
}

/** A comparison is negated as such; other conditions become constants. */
function condition(node: AnyNode): Edit[] {
  const isBranch = node.type === 'IfStatement' || node.type === 'ConditionalExpression';
  const test = isBranch || node.type === 'WhileStatement' ? node.test : undefined;
  if (!test || (test.type === 'BinaryExpression' && NEGATION.has(test.operator))) return [];
  if (test.type === 'Literal') return [];
  const replaced = (text: string): Edit => ({ operator: 'condition', start: test.start, end: test.end, text });
  return isBranch ? [replaced('true'), replaced('false')] : [replaced('false')];
}

function negation(node: AnyNode, parents: readonly AnyNode[], source: string): Edit[] {
  if (node.type !== 'UnaryExpression' || node.operator !== '!') return [];
  const parent = parents[0];
  if (parent && 'test' in parent && parent.test === node) return [];
  return [{ operator: 'negation', start: node.start, end: node.end, text: `(${textOf(node.argument, source)})` }];
}

function booleanLiteral(node: AnyNode): Edit[] {
  if (node.type !== 'Literal' || typeof node.value !== 'boolean') return [];
  return [{ operator: 'boolean', start: node.start, end: node.end, text: String(!node.value) }];
}

function comparedString(node: AnyNode, parents: readonly AnyNode[]): Edit[] {
  if (node.type !== 'Literal' || typeof node.value !== 'string' || node.value === '') return [];
  const parent = parents[0];
  const isCompared =
    (parent?.type === 'BinaryExpression' && NEGATION.has(parent.operator)) || parent?.type === 'SwitchCase';
  return isCompared ? [{ operator: 'string', start: node.start, end: node.end, text: "''" }] : [];
}

function step(node: AnyNode, parents: readonly AnyNode[]): Edit[] {
  if (node.type !== 'UpdateExpression' || parents[0]?.type === 'ForStatement') return [];
  const start = node.prefix ? node.start : node.end - 2;
  return [{ operator: 'arithmetic', start, end: start + 2, text: node.operator === '++' ? '--' : '++' }];
}

function removedCall(node: AnyNode): Edit[] {
  if (node.type !== 'ExpressionStatement') return [];
  const { expression } = node;
  let call: Expression = expression.type === 'AwaitExpression' ? expression.argument : expression;
  if (call.type === 'ChainExpression') call = call.expression;
  if (call.type !== 'CallExpression' || call.callee.type === 'Super') return [];
  return [{ operator: 'removed call', start: node.start, end: node.end, text: ';' }];
}

function emptiedReturn(node: AnyNode): Edit[] {
  const value =
    node.type === 'ReturnStatement'
      ? node.argument
      : node.type === 'ArrowFunctionExpression' && node.body.type !== 'BlockStatement'
        ? node.body
        : undefined;
  if (!value || (value.type === 'Identifier' && value.name === 'undefined')) return [];
  // Flipped by the operator for booleans already.
  if (value.type === 'Literal' && typeof value.value === 'boolean') return [];
  return [{ operator: 'emptied return', start: value.start, end: value.end, text: 'undefined' }];
}

function optionalChain(node: AnyNode, _parents: readonly AnyNode[], source: string): Edit[] {
  if ((node.type !== 'MemberExpression' && node.type !== 'CallExpression') || !node.optional) return [];
  const start = source.indexOf('?.', node.type === 'MemberExpression' ? node.object.end : node.callee.end);
  const text = node.type === 'MemberExpression' && !node.computed ? '.' : '';
  return [{ operator: 'optional chain', start, end: start + 2, text }];
}

function method(node: AnyNode, _parents: readonly AnyNode[], source: string): Edit[] {
  if (node.type !== 'CallExpression') return [];
  const member = namedMember(node);
  if (member === undefined) return [];
  const { property, name } = member;
  if (STEPS.has(name)) {
    // The object's own end may lie within parentheses.
    const dot = source.lastIndexOf('.', property.start);
    return [{ operator: 'method', start: source[dot - 1] === '?' ? dot - 1 : dot, end: node.end, text: '' }];
  }
  const by = METHODS.get(name);
  return by === undefined ? [] : [{ operator: 'method', start: property.start, end: property.end, text: by }];
}

/** What the call `x.name()` calls. */
export function namedMember(
  call: CallExpression,
): { object: MemberExpression['object']; property: MemberExpression['property']; name: string } | undefined {
  const { callee } = call;
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier' || callee.computed) return undefined;
  return { object: callee.object, property: callee.property, name: callee.property.name };
}

function isText(node: AnyNode): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');
}

/** A number, or made of numbers and named constants alone. */
function isConstant(node: AnyNode): boolean {
  if (node.type === 'BinaryExpression') return isConstant(node.left) && isConstant(node.right);
  return node.type === 'Identifier'
    ? /^[A-Z][A-Z0-9_]+$/.test(node.name)
    : node.type === 'Literal' && typeof node.value === 'number';
}

function textOf(node: AnyNode, source: string): string {
  return source.slice(node.start, node.end);
}
