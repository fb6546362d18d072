import { contribute, FIGURES } from '../../kernel/index.ts';

/** How many nodes lie within one, two and three hops, in the terminal UI. */
export const routingUi = [
  contribute(FIGURES, [
    { row: 'reach', label: 'N1', text: '{n1|count}', command: 'status' },
    { row: 'reach', label: 'N2', text: '{n2|count}', command: 'status' },
    { row: 'reach', label: 'N3', text: '{n3|count}', command: 'status' },
  ]),
];
