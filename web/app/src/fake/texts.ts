/** What the people of the fixtures say. `/fixture-texts.json` (a list of lines) is used instead where it is served. */
export const builtIn: string[] = [
  'good morning everybody',
  'has anyone looked at the failing nightly build yet?',
  'I think it is the new kernel, it happens only on machines with that network card',
  'yes, same here. `dmesg | grep -i firmware` says it cannot find the file',
  'you can get it from the backports: https://packages.example.org/firmware/nonfree',
  'thanks, that did it 🎉',
  'Does **anybody** know why the resolver picks the *old* mirror?',
  'because the list is only read once at start. Restart the service and it is gone.',
  'I wrote it down here so that we do not forget:\n- stop the service\n- remove the cache\n- start it again\n- wait a minute before you complain',
  '```\nfn main() {\n    let greeting = "hello";\n    println!("{greeting}, world");\n}\n```',
  'that is the shortest one I have seen',
  '> it works on my machine\nfamous last words',
  'lunch?',
  'in ten minutes',
  'I moved the meeting to Thursday, hope that works for all of you. If not, say so until tonight and I will find another day; the room is free on Friday morning too.',
  'works for me',
  '👍',
  'we should really write that into the handbook, somebody asks every month',
  'see [the handbook](https://handbook.example.org/network) chapter 4',
  'ok, closing this one then',
  'wait, there is one more thing: the certificate ends on the 14th and nobody has the key',
  'I have it',
  '~~I lost it~~ found it again, in the other safe',
  'you scared me there for a moment',
  'who is on call this weekend?',
  'me, until Sunday noon',
  'the dashboards look calm. p99 is at 41 ms, which is the best since *March*',
  'très bien, merci à tous ! 🙏',
  '明日は休みです',
  'مرحبا بالجميع',
  'is there a way to see which package owns a file?',
  '`dpkg -S /usr/bin/whatever`',
  'perfect, thank you!',
  'no idea, sorry',
  'I would try turning off the splash screen first, then you at least see what it waits for',
];

export async function loadTexts(): Promise<string[]> {
  try {
    const answer = await fetch('/fixture-texts.json');
    const lines: unknown = answer.ok ? await answer.json() : null;
    return Array.isArray(lines) ? lines.map(String) : builtIn;
  } catch {
    return builtIn;
  }
}
