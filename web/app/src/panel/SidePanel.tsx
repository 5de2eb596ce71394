import type { Side } from '../router/route';
export default function SidePanel({ side }: { side: Side; conversation: string | null }) {
  return <p>{side.panel}</p>;
}
