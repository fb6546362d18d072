import { quicRig } from './transport-rig.ts';
import { transportDialContract } from './transport-dial-suite.ts';
import { transportContract } from './transport-suite.ts';

const rig = quicRig();
transportContract(rig);
transportDialContract(rig);
