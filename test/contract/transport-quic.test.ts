import { quicRig } from './transport-rig.ts';
import { transportContract } from './transport-suite.ts';

transportContract(quicRig());
