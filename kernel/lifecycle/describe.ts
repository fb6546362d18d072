export { messageOf as describe } from '../sdk/errors.ts';
