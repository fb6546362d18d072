import { memoryRig } from './transport-rig.ts';
import { transportDialContract } from './transport-dial-suite.ts';
import { transportContract } from './transport-suite.ts';

const rig = memoryRig();
transportContract(rig);
transportDialContract(rig);
