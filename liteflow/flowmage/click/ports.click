c :: IPClassifier(tcp, udp, -);
x, y :: Counter(COUNT_CALL 10 h.run);
sw :: RoundRobinSwitch;
FromDevice(eth1) -> c;
c => x, y, Discard;
x, y -> sw;
sw [0, 1] => [0-] { [0] -> Queue -> [0]; [1] -> Null -> [1] } => Discard, [0] d :: Discard;
elementclass Both { $a | input -> Paint($a) -> output || $a, $b | input -> Paint($a) -> Paint($b) -> output }
elementclass Both { input -> Null -> output || ... }
elementclass Sink Discard;
Idle -> Both(1) -> Both(1, 2) -> Both -> Sink;
