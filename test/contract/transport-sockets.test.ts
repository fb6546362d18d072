import { memoryRig, quicRig } from './transport-rig.ts';
import { transportSocketContract } from './transport-socket-suite.ts';

// In a process of their own: opening hundreds of sockets would spoil the times that other tests measure.
transportSocketContract(memoryRig());
transportSocketContract(quicRig());
