import { SplashView } from './SplashView';

export const Splash = () => <SplashView />;
