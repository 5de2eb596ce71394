import type { User } from '@klatch/client';
export default function SettingsPage({ page }: { page: string | null; me: User }) {
  return <p>{page}</p>;
}
