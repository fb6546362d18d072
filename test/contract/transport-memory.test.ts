import { memoryRig } from './transport-rig.ts';
import { transportContract } from './transport-suite.ts';

transportContract(memoryRig());
