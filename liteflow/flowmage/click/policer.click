// A port scan detector and two counters, as in the paper: two elements of one class.
define($port 0000:17:00.0, $size 1000000)

fd0 :: FromDPDKDevice($port, MODE rss, MAXTHREADS 8)
	-> Classifier(12/0800)
	-> MarkIPHeader(OFFSET 14)
	-> psd :: IPortScanDetector(SIZE $size, LIMIT 10)
	-> a :: IPolicer(SIZE $size, SHARED 1) /* the first */
	-> b :: IPolicer(MODE 2 // SHARED here is a comment
		)
	-> c :: ISourceCounter
	-> td0 :: ToDPDKDevice($port, BLOCKING false);
