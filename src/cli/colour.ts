// Whether to print in colour: on a terminal, unless told otherwise.

/** NO_COLOR (no-color.org) and --no-color win over everything; FORCE_COLOR makes a pipe coloured. */
export function wantsColour(
  stream: { readonly isTTY?: boolean },
  option: boolean | undefined,
  env = process.env,
): boolean {
  if (option === false || (env['NO_COLOR'] ?? '') !== '') return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
