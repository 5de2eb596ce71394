import { TypingView } from './TypingView';

export const Nobody = () => <TypingView names={[]} />;
export const Two = () => <TypingView names={['Aiko', 'Jonas']} />;
export const Several = () => <TypingView names={['Aiko', 'Jonas', 'Mira', 'Leila']} />;
