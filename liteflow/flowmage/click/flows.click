# 1 "flows.click"
require(package "flow");

elementclass Checked {
	$offset, VERBOSE $v |
	input -> Strip($offset) -> check :: CheckIPHeader(VERBOSE ${v-0}) -> output;
	check[1] -> Discard;
}
elementclass Twice { input -> one :: Checked(14) -> two :: Checked(0, VERBOSE 1) -> output }

fd :: FromDevice(eth0)
	-> Twice
	-> manager :: FlowIPManager(CAPACITY 65536)
	-> counter :: FlowCounter
	-> limiter :: FlowRateLimiter(RATE 1000)
	-> { input -> Print("a, (b) \") -> c") -> output }
	-> lb :: FlowIPLoadBalancer(DST 10.0.0.1, DST 10.0.0.2, VIP 10.0.0.3)
	-> EtherRewrite(SRC 0:1:2:3:4:5, DST 0:1:2:3:4:6)
	-> ToDevice(eth0);
