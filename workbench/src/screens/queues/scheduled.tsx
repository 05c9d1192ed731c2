export function Scheduled(_: { id: string | undefined }) {
  return null;
}
