/** The version of the code, as in package.json (a test holds them equal). State and wire have their own. */
export const NODE_VERSION = '0.1.0';
