//! The queue without hub and task.

use std::future::Future as _;
use std::pin::pin;

use super::*;

fn queue(limit: usize) -> (Arc<Queue>, Inlet, Arc<Pressure>) {
    let pressure = Arc::default();
    let (queue, inlet) = Queue::new(limit, &pressure);
    (queue, inlet, pressure)
}

fn is_over(future: impl Future) -> bool {
    pin!(future).poll(&mut context()).is_ready()
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// What is taken: the bytes of texts, or the frame.
fn take(inlet: &Inlet) -> Option<Result<Vec<u8>, OwnedFrame>> {
    match inlet.poll_take(&mut context()) {
        Poll::Ready(Ok(Parcel::Texts(bytes, _))) => Some(Ok(bytes)),
        Poll::Ready(Ok(Parcel::Told(shared))) => Some(Ok(shared.to_bytes())),
        Poll::Ready(Ok(Parcel::Frame(frame))) => Some(Err(frame)),
        Poll::Ready(Err(Cut)) | Poll::Pending => None,
    }
}

#[test]
fn frames_leave_in_order_and_an_empty_queue_keeps_room_for_one_parcel() {
    let (queue, inlet, _) = queue(8);
    let ping = || OwnedFrame::Ping(vec![1]);
    for frame in [OwnedFrame::text("a"), OwnedFrame::text("b"), ping(), OwnedFrame::text("c")] {
        queue.push(frame).unwrap();
    }

    let taken: Vec<_> = (0..4).map(|_| take(&inlet)).collect();

    let texts = |bytes: &[u8]| Some(Ok(bytes.to_vec()));
    assert_eq!(taken, [texts(b"\x81\x01a\x81\x01b"), Some(Err(ping())), texts(b"\x81\x01c"), None]);
    let left = queue.lock();
    assert!(left.parcels.capacity() <= KEPT, "{}", left.parcels.capacity());
    assert_eq!((left.frames, left.bytes), (0, 0));
}

#[test]
fn texts_of_any_length_are_read_by_the_library_as_they_were_queued() {
    use crate::link::pieces::frames;
    let texts = [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 200_000]
        .map(|len| "\u{fc}x".chars().cycle().take(len).collect::<String>());
    let (queue, inlet, _) = queue(100);
    for text in &texts {
        queue.push(OwnedFrame::text(text.as_str())).unwrap();
    }

    let mut bytes = Vec::new();
    while let Some(Ok(more)) = take(&inlet) {
        bytes.push(more);
    }

    let told = frames(bytes, true, 1024 * 1024);
    assert_eq!(told.fault, None);
    assert!(told.all == texts.map(OwnedFrame::text));
}

#[test]
fn what_many_hear_becomes_the_frames_that_each_of_them_gets() {
    let (queue, inlet, _) = queue(100);
    let head = Arc::from("<1>");

    queue.push(OwnedFrame::text("first")).unwrap();
    queue.push_run(&head, &Run::of(&[&["a"], &["b"]])).unwrap();
    queue.push_run(&head, &Run::of(&[&["c"]])).unwrap();
    queue.push(OwnedFrame::text("last")).unwrap();
    let waits = queue.lock().frames;
    let taken: Vec<_> = (0..4).map(|_| take(&inlet)).collect();

    let bytes = |bytes: &[u8]| Some(Ok(bytes.to_vec()));
    assert_eq!(taken[0], bytes(b"\x81\x05first"));
    assert_eq!(taken[1], bytes(b"\x81\x04<1>a\x81\x04<1>b\x81\x04<1>c"));
    assert_eq!(taken[2..], [bytes(b"\x81\x04last"), None]);
    let left = queue.lock();
    assert_eq!((waits, left.frames, left.bytes), (5, 0, 0));
}

#[tokio::test]
async fn a_flush_writes_for_a_task_that_sleeps_and_leaves_the_rest_to_it() {
    use tokio::io::AsyncReadExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    near.writable().await.unwrap();
    let (queue, inlet, pressure) = queue(1_000_000);
    inlet.open(Arc::new(near));
    let (head, tail) = (Arc::from(""), "x".repeat(60_000));
    let run = || Run::of(&[&[&tail]]);

    let awake = queue.push_run(&head, &run()).unwrap().1;
    let mut taken = take(&inlet).unwrap().unwrap();
    assert!(take(&inlet).is_none());
    let asleep = [(); 2].map(|()| queue.push_run(&head, &run()).unwrap().1);
    for _ in 0..500 {
        queue.push_run(&head, &run()).unwrap();
    }
    queue.flush(&mut Template::default());
    let left = queue.lock().frames;
    let mut came = 0;
    while let Some(bytes) = take(&inlet) {
        taken.extend(bytes.unwrap());
    }
    drop((queue, inlet));
    let mut buffer = vec![0; 1 << 16];
    loop {
        match far.read(&mut buffer).await.unwrap() {
            0 => break,
            read => came += read,
        }
    }

    assert_eq!((awake, asleep), (Flush::NotDue, [Flush::Due, Flush::NotDue]));
    assert!(left > 0 && left < 502 && !pressure.is_felt(), "{left}");
    assert_eq!(taken.len() + came, 503 * 60_004);
}

#[test]
fn a_full_queue_refuses_until_something_was_taken() {
    let (queue, inlet, _) = queue(1);

    let pushed = [queue.push(OwnedFrame::text("a")), queue.push(OwnedFrame::text("b"))];
    take(&inlet).unwrap().unwrap();

    assert_eq!(pushed, [Ok(Queued::Pressed), Err(Refused::Full)]);
    assert_eq!(queue.push(OwnedFrame::text("c")), Ok(Queued::Pressed));
}

#[test]
fn a_queue_of_large_frames_is_full_by_their_size() {
    let (queue, inlet, _) = queue(1024);
    let half = || OwnedFrame::Binary(vec![0; BYTES_MAX / 2]);

    let pushed = [queue.push(half()), queue.push(half()), queue.push(OwnedFrame::text("a"))];
    take(&inlet).unwrap().unwrap_err();

    assert_eq!(pushed, [Ok(Queued::Freely), Ok(Queued::Pressed), Err(Refused::Full)]);
    assert_eq!(queue.push(OwnedFrame::text("a")), Ok(Queued::Pressed));
}

#[test]
fn a_queue_that_is_more_than_half_full_is_felt_until_it_is_not_or_its_connection_ends() {
    let mut felt = Vec::new();
    let ends: [fn(Inlet, &Queue); 3] = [|inlet, _| drop(take(&inlet)), |_, queue| queue.cut(), |inlet, _| drop(inlet)];
    for end in ends {
        let (queue, inlet, pressure) = queue(4);
        for _ in 0..3 {
            felt.push((pressure.is_felt(), is_over(pressure.eased())));
            queue.push(OwnedFrame::text("a")).unwrap();
        }
        let mut waits = pin!(pressure.eased());
        let mut context = Context::from_waker(Waker::noop());
        assert!(pressure.is_felt() && waits.as_mut().poll(&mut context).is_pending());
        end(inlet, &queue);
        felt.push((pressure.is_felt(), waits.poll(&mut context).is_ready()));
    }

    assert_eq!(felt, [(false, true); 12]);
}

#[test]
fn a_cut_throws_away_what_waits_and_is_seen() {
    let (queue, inlet, _) = queue(8);
    queue.push(OwnedFrame::text("a")).unwrap();

    queue.cut();

    assert!(inlet.poll_cut(&mut context()).is_ready());
    assert!(matches!(inlet.poll_take(&mut context()), Poll::Ready(Err(Cut))));
    assert_eq!(queue.push(OwnedFrame::text("b")), Err(Refused::Closed));
}

#[test]
fn a_queue_that_nobody_takes_from_refuses_without_being_full() {
    let (queue, inlet, _) = queue(1);

    drop(inlet);

    assert_eq!([(); 3].map(|()| queue.push(OwnedFrame::text("a"))), [Err(Refused::Closed); 3]);
}

#[test]
fn a_sleeper_is_woken_once_for_what_it_waits_for() {
    struct Count(AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (queue, inlet, _) = queue(8);
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    let mut seen = Vec::new();

    assert!(inlet.poll_take(&mut Context::from_waker(&waker)).is_pending());
    for _ in 0..2 {
        queue.push(OwnedFrame::text("a")).unwrap();
        seen.push(count.0.load(Ordering::Relaxed));
    }
    assert!(inlet.poll_cut(&mut Context::from_waker(&waker)).is_pending());
    queue.push(OwnedFrame::text("a")).unwrap();
    seen.push(count.0.load(Ordering::Relaxed));
    queue.cut();
    seen.push(count.0.load(Ordering::Relaxed));

    assert_eq!(seen, [1, 1, 1, 2]);
}
