using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Server.Judging;
using Slipway.Stats.Intervals;
using Slipway.Stats.Sequential;
using static Slipway.Tests.Server.Judging.Told;

namespace Slipway.Tests.Server.Judging;

public sealed class EvidenceFoldTests
{
    [Fact]
    public void A_batch_becomes_counts_by_weight_arm_and_kind()
    {
        var fold = Fold(Batch("a", 1, 100, [Bad(1, 1), Bad(2, 2, Arm.Stable), Bad(3, 3, kind: BadKind.Latency), Bad(4, 4, kind: BadKind.Crash, revision: 3)]));
        var evidence = fold.Evidence();

        Assert.Equal([0, 1_000, 5_000], evidence.Cells.Select(cell => cell.Weight));
        Assert.Equal([new KindEvidence(BadKind.Error, 1, 1), new KindEvidence(BadKind.Latency, 1, 0)], evidence.Cells[1].Bad);
        Assert.Equal([new KindEvidence(BadKind.Crash, 1, 0)], evidence.Cells[2].Bad);
        Assert.Equal((4, 1, 1), (evidence.Cells[1].Candidate.Requests, evidence.Cells[1].Candidate.BadRequests, evidence.Cells[1].Candidate.OverBudget));
        Assert.Equal((2, 1, 0), (evidence.Cells[1].Stable.Requests, evidence.Cells[1].Stable.BadRequests, evidence.Cells[1].Stable.OverBudget));
        Assert.Equal((0, 1, 0, 0), (evidence.Lost, evidence.Gateways, evidence.Waiting, evidence.Halvings));
    }

    [Fact]
    public void A_batch_counts_once()
    {
        var batch = Batch("a", 1, 100, [Bad(1, 1)]);
        var fold = Fold(batch);
        var before = fold.Write();

        Assert.Equal(BatchResult.Repeated, fold.Take(batch, Weights).Result);
        Assert.Equal(before, fold.Write());
        Assert.Equal(BatchResult.Taken, fold.Take(batch with { Boot = "b2", Rollouts = [batch.Rollouts[0] with { Bad = [Bad(50, 9)] }] }, Weights).Result);
        Assert.Equal((2, 0), fold.Firsts());
    }

    [Fact]
    public void A_batch_after_a_gap_is_put_off()
    {
        var fold = Fold(Batch("a", 7, 100, []));
        var late = Batch("a", 9, 300, [Bad(250, 1)]);
        Assert.Equal(new BatchOutcome(BatchResult.PutOff, "batch 8 comes first"), fold.Take(late, Weights));
        Assert.Equal((0, 0), fold.Firsts());
        fold.Take(Batch("a", 8, 200, []) with { Rollouts = [] }, Weights);
        Assert.Equal(BatchResult.Taken, fold.Take(late, Weights).Result);
        Assert.Equal((1, 0), fold.Firsts());
    }

    [Fact]
    public void Only_the_first_bad_event_of_a_user_counts_and_all_of_them_are_bad_requests()
    {
        var fold = Fold(
            Batch("a", 1, 100, [Bad(10, 7), Bad(11, 7), Bad(12, 7, kind: BadKind.Timeout)]),
            Batch("a", 2, 200, [Bad(110, 7, Arm.Stable), Bad(111, 8)]));
        Assert.Equal((2, 0), fold.Firsts());
        Assert.Equal(4, fold.Evidence().Cells[1].Candidate.BadRequests);
    }

    [Fact]
    public void Which_event_is_a_users_first_is_settled_by_assignment_and_not_by_arrival()
    {
        var fold = EvidenceFold.Start(Rollout);
        fold.Join("a", "b1");
        fold.Join("b", "b1");
        fold.Take(Batch("b", 1, 100, [Bad(60, 7, Arm.Stable)]), Weights);
        Assert.Equal((0, 0), fold.Firsts());
        Assert.Equal(1, fold.Evidence().Waiting);
        fold.Take(Batch("a", 1, 100, [Bad(50, 7, Arm.Candidate)]), Weights);
        Assert.Equal((1, 0), fold.Firsts());
    }

    [Fact]
    public void Nothing_is_folded_beyond_what_every_gateway_has_told()
    {
        var fold = Fold(Batch("a", 1, 10, []), Batch("b", 1, 10, []), Batch("a", 2, 100, [Bad(50, 1), Bad(90, 2)]));
        Assert.Equal((0, 0), fold.Firsts());
        Assert.Equal(0, fold.Evidence().Cells[1].Candidate.Requests);
        fold.Take(Batch("b", 2, 70, []), Weights);
        Assert.Equal((1, 0), fold.Firsts());
        Assert.Equal(0, fold.Evidence().Cells[1].Candidate.Requests);
        fold.Take(Batch("b", 3, 100, []), Weights);
        Assert.Equal((2, 0), fold.Firsts());
        Assert.Equal(4, fold.Evidence().Cells[1].Candidate.Requests);
    }

    /// <summary>Two arms of equal rates: one fails at once, the other after long. In order of arrival the fast one looks alone at fault.</summary>
    [Fact]
    public void In_order_of_arrival_a_healthy_candidate_that_fails_faster_would_look_harmful()
    {
        const double threshold = 4.6;
        const long delay = 30_000;
        var requests = Enumerable.Range(1, 200).Select(i => (Order: 1_000L * i, Arm: i % 2 == 0 ? Arm.Candidate : Arm.Stable)).ToArray();
        var known = requests.OrderBy(request => request.Order + (request.Arm == Arm.Candidate ? 10 : delay));

        Assert.True(Highest(known.Select(request => request.Arm)) > threshold);
        Assert.True(Highest(requests.Select(request => request.Arm)) < threshold);

        // As the gateway tells it: through the last order before which nothing is open.
        var fold = EvidenceFold.Start(Rollout);
        var (sequence, told, highest) = (0L, 0, 0.0);
        foreach (var now in Enumerable.Range(1, 260).Select(i => 1_000L * i))
        {
            var open = requests.Where(request => request.Order + (request.Arm == Arm.Candidate ? 10 : delay) > now).Select(request => request.Order);
            var through = open.Append(now).Min() - 1;
            var bad = requests.Skip(told).TakeWhile(request => request.Order <= through).Select(request => Bad(request.Order, (ulong)request.Order, request.Arm, revision: 3)).ToImmutableArray();
            told += bad.Length;
            fold.Take(Batch("a", ++sequence, through, bad), Weights);
            var process = ThinningProcess.Harm(1);
            process.Add(0.5, fold.Firsts().Candidate, fold.Firsts().Stable);
            highest = Math.Max(highest, process.LogE);
        }

        Assert.Equal((100, 100), fold.Firsts());
        Assert.True(highest < threshold);

        static double Highest(IEnumerable<Arm> arms)
        {
            var (process, highest) = (ThinningProcess.Harm(1), 0.0);
            foreach (var arm in arms)
            {
                process.Add(0.5, arm == Arm.Candidate);
                highest = Math.Max(highest, process.LogE);
            }

            return highest;
        }
    }

    /// <summary>Three gateways, cut into batches and delivered in any way: whatever was folded is a beginning of one sequence, and in the end all of it.</summary>
    [Fact]
    public void Evidence_hangs_neither_on_the_order_of_arrival_nor_on_how_batches_were_cut()
    {
        var all = new Philox(5, 0);
        var events = Enumerable.Range(1, 300).Select(i => (Gateway: "abc"[(int)all.Below(3)].ToString(), Event: Bad(10 * i, all.Below(200), all.Below(3) == 0 ? Arm.Candidate : Arm.Stable, (BadKind)all.Below(5), 2 + all.Below(2)))).ToArray();
        var beginnings = Beginnings(events.Select(one => one.Event));
        string? end = null;
        for (ulong trial = 1; trial <= 30; trial++)
        {
            var draw = new Philox(5, trial);
            var queues = "abc".Select(name => new Queue<EventBatch>(Cut(name.ToString(), [.. events.Where(one => one.Gateway == name.ToString()).Select(one => one.Event)], ref draw))).ToList();
            var fold = EvidenceFold.Start(Rollout);
            foreach (var name in "abc")
                fold.Join(name.ToString(), "b1");
            while (queues.Count > 0)
            {
                var queue = queues[(int)draw.Below((uint)queues.Count)];
                var batch = queue.Dequeue();
                Assert.Equal(BatchResult.Taken, fold.Take(batch, Weights).Result);
                if (draw.Below(3) == 0)
                    Assert.Equal(BatchResult.Repeated, fold.Take(batch, Weights).Result);
                if (draw.Below(5) == 0)
                    fold = EvidenceFold.Read(fold.Write());
                Assert.Contains(Told(fold), beginnings);
                if (queue.Count == 0)
                    queues.Remove(queue);
            }

            var evidence = JsonSerializer.Serialize(fold.Evidence(), RolloutJson.Default.RolloutEvidence);
            Assert.Equal(end ??= evidence, evidence);
        }

        Assert.Contains("\"waiting\":0", end);

        static HashSet<string> Beginnings(IEnumerable<BadEvent> sequence)
        {
            var (seen, cells) = (new HashSet<string>(), new SortedDictionary<(long, BadKind), (long Candidate, long Stable)>());
            var found = new HashSet<string> { "" };
            foreach (var one in sequence.Where(one => seen.Add(one.User)))
            {
                var (candidate, stable) = cells.GetValueOrDefault((one.WeightRevision, one.Kind));
                cells[(one.WeightRevision, one.Kind)] = one.Arm == Arm.Candidate ? (candidate + 1, stable) : (candidate, stable + 1);
                found.Add(string.Join(' ', cells.Select(cell => (cell.Key, cell.Value))));
            }

            return found;
        }

        static string Told(EvidenceFold fold) => string.Join(' ', fold.Evidence().Cells.SelectMany(cell => cell.Bad.Select(bad => ((cell.WeightRevision, bad.Kind), (bad.Candidate, bad.Stable)))));

        static List<EventBatch> Cut(string gateway, BadEvent[] mine, ref Philox draw)
        {
            var (batches, through, next) = (new List<EventBatch>(), 0L, 0);
            for (var sequence = 1; through < 4_000; sequence++)
            {
                through = Math.Min(4_000, through + draw.Below(700));
                var bad = mine.Skip(next).TakeWhile(one => one.Order <= through).ToImmutableArray();
                next += bad.Length;
                batches.Add(Batch(gateway, sequence, through, bad));
            }

            return batches;
        }
    }

    [Fact]
    public void Beyond_the_bound_ever_fewer_users_are_followed_and_none_twice()
    {
        const int users = 100_000;
        var fold = EvidenceFold.Start(Rollout);
        for (var i = 0; i < users / EventBatch.MaxEvents; i++)
            fold.Take(Batch("a", i + 1, (i + 1) * EventBatch.MaxEvents, [.. Enumerable.Range(i * EventBatch.MaxEvents + 1, EventBatch.MaxEvents).Select(order => Bad(order, (ulong)order, order % 10 == 0 ? Arm.Candidate : Arm.Stable))]), Weights);
        var (candidate, stable) = fold.Firsts();
        var evidence = fold.Evidence();

        // 32,768, then half of as many again as long as that lasts, then a quarter.
        Assert.Equal(2, evidence.Halvings);
        Assert.InRange(candidate + stable, 56_000, 62_000);
        Assert.InRange((double)candidate / (candidate + stable), 0.095, 0.105);
        Assert.Equal(users / 10, evidence.Cells[1].Candidate.BadRequests);
        Assert.True(fold.Write().Length < 400_000);

        var again = EvidenceFold.Read(fold.Write());
        again.Take(Batch("a", users / EventBatch.MaxEvents + 1, 2 * users, [.. Enumerable.Range(users + 1, EventBatch.MaxEvents).Select(order => Bad(order, (ulong)(order - users)))]), Weights);
        Assert.Equal((candidate, stable), again.Firsts());
    }

    [Fact]
    public void Requests_of_a_gateway_that_vanished_are_lost_until_it_comes_back()
    {
        var fold = Fold(Batch("b", 1, 40, []), Batch("a", 1, 100, [Bad(50, 1)]));
        Assert.Equal((0, 0), fold.Firsts());
        fold.Forget("b", "b1");
        Assert.Equal((1, 0), fold.Firsts());
        Assert.Equal(1, fold.Evidence().Lost);      // it told of no request, and nobody knows whether it got one since

        fold.Forget("a", "b1");
        Assert.Equal(2, fold.Evidence().Lost);
        fold.Take(Batch("a", 2, 200, []), Weights);
        Assert.Equal(1, fold.Evidence().Lost);
    }

    [Fact]
    public void A_gateway_that_had_the_weight_in_force_and_vanished_without_a_word_is_lost_too()
    {
        var fold = EvidenceFold.Start(Rollout);
        fold.Join("silent", "b1");
        fold.Take(Batch("a", 1, 100, [Bad(50, 1)]), Weights);
        Assert.Equal(0, fold.Evidence().Lost);
        fold.Forget("silent", "b1");
        Assert.Equal(1, fold.Evidence().Lost);
        Assert.Equal(1, EvidenceFold.Read(fold.Write()).Evidence().Lost);
    }

    [Fact]
    public void A_new_boot_ends_the_one_before_and_what_that_did_not_tell_is_lost()
    {
        var fold = Fold(Batch("a", 1, 100, [Bad(50, 1)]), Batch("a", 1, 300, [Bad(250, 2)], boot: "b2"));
        Assert.Equal((1, (2L, 0L)), (fold.Evidence().Lost, fold.Firsts()));
        fold.Take(Batch("a", 2, 200, [Bad(150, 3)]), Weights);
        Assert.Equal((1, (3L, 0L)), (fold.Evidence().Lost, fold.Firsts()));
        fold.Take(Batch("a", 3, 220, [], final: true), Weights);
        Assert.Equal(0, fold.Evidence().Lost);
    }

    [Fact]
    public void A_gateway_that_stopped_in_order_lost_nothing_and_nobody_waits_for_it()
    {
        var fold = Fold(Batch("a", 1, 100, [Bad(50, 1)], final: true), Batch("b", 1, 500, [Bad(450, 2)]));
        Assert.Equal((0, (2L, 0L)), (fold.Evidence().Lost, fold.Firsts()));
    }

    [Fact]
    public void What_a_gateway_says_it_lost_is_lost() => Assert.Equal(12, Fold(Batch("a", 1, 100, [], lost: 12)).Evidence().Lost);

    public static TheoryData<string, EventBatch> Unbelievable => new()
    {
        { "it has told everything through 90, and had through 100 before", Batch("a", 2, 90, []) },
        { "it lost -1 requests", Batch("a", 2, 200, [], lost: -1) },
        { "a bad event has order 100, and everything through 100 was told already", Batch("a", 2, 200, [Bad(100, 1)]) },
        { "a bad event has order 150, and everything through 150 was told already", Batch("a", 2, 200, [Bad(150, 1), Bad(150, 2)]) },
        { "a bad event has order 201, beyond the 200 that it has told everything through", Batch("a", 2, 200, [Bad(201, 1)]) },
        { "it counts requests under weight revision 9, which was never ordered", Batch("a", 2, 200, [Bad(150, 1, revision: 9)]) },
        { "a bad event has an unknown arm or kind", Batch("a", 2, 200, [Bad(150, 1, kind: (BadKind)9)]) },
        { "a bad event's user is not 16 hex digits", Batch("a", 2, 200, [Bad(150, 1) with { User = "0123456789ABCDEF" }]) },
        { "a latency histogram has 3 buckets, and 65 are due", Counted(Count(2, Arm.Stable, 5) with { Latency = [1, 2, 2] }) },
        { "a latency histogram holds 5 of 6 requests", Counted(Count(2, Arm.Stable, 5) with { Requests = 6 }) },
        { "it has a count below 0, or beyond all reason", Counted(Count(2, Arm.Stable, -5)) },
        { "it has a count below 0, or beyond all reason", Counted(Count(2, Arm.Stable, long.MaxValue)) },
        { "it counts one arm of weight revision 2 twice", Counted(Count(2, Arm.Stable, 5), Count(2, Arm.Stable, 5)) },
        { "it tells 2 bad ones among 1 requests of weight revision 3", Counted([Bad(150, 1, revision: 3), Bad(151, 2, revision: 3)], Count(3, Arm.Candidate, 1)) },
        { "the shadow answered differently 3 times of 2", Batch("a", 2, 200, [], shadow: new(2, 3, 0, 0, 0)) },
        { "the shadow's largest difference is no number", Batch("a", 2, 200, [], shadow: new(2, 1, 0, 0, double.NaN)) },
        { "it names a rollout twice", Batch("a", 2, 200, []) with { Rollouts = [Batch("a", 2, 200, []).Rollouts[0], Batch("a", 2, 200, []).Rollouts[0]] } },
        { "gateway and boot are named by 1 to 200 characters", Batch("", 2, 200, []) },
        { "its sequence is 0, and the first is 1", Batch("a", 0, 200, []) },
        { "it has more than 10000 bad events", Batch("a", 2, 20_000, [.. Enumerable.Range(101, EventBatch.MaxEvents + 1).Select(order => Bad(order, 1))]) },
    };

    /// <summary>Refused as a whole, and never silently: what it told of has happened.</summary>
    [Theory, MemberData(nameof(Unbelievable))]
    public void A_batch_that_does_not_hold_together_is_refused_and_its_requests_are_lost(string fault, EventBatch batch)
    {
        var fold = Fold(Batch("a", 1, 100, [Bad(50, 1)]));
        Assert.Equal(new BatchOutcome(BatchResult.Refused, fault), fold.Take(batch, Weights));
        var evidence = fold.Evidence();
        Assert.True(evidence.Lost >= 1);
        Assert.Equal((1, 0), fold.Firsts());
        Assert.Equal(2, evidence.Cells.Sum(cell => cell.Candidate.Requests));
        if (batch is { Gateway: "a", Sequence: 2, Rollouts.Length: 1 } && batch.Rollouts[0].Bad.Length <= EventBatch.MaxEvents)
            Assert.Equal(BatchResult.Taken, fold.Take(Batch("a", 3, 300, [Bad(250, 2)]), Weights).Result);
    }

    [Fact]
    public void Events_that_wait_are_bounded_and_then_batches_are_put_off()
    {
        var fold = Fold(Batch("slow", 1, 10, []));
        long sequence = 0;
        BatchOutcome Next() => fold.Take(Batch("a", sequence + 1, 1_000 + (sequence + 1) * EventBatch.MaxEvents, [.. Enumerable.Range(0, EventBatch.MaxEvents).Select(i => Bad(1_001 + sequence * EventBatch.MaxEvents + i, (ulong)i))]), Weights);
        for (; sequence < EvidenceFold.MostWaiting / EventBatch.MaxEvents; sequence++)
            Assert.Equal(BatchResult.Taken, Next().Result);
        Assert.Equal(new BatchOutcome(BatchResult.PutOff, "50000 bad events wait for slow, which has not told as far"), Next());
        fold.Take(Batch("slow", 2, 1_000_000, []), Weights);
        Assert.Equal(BatchResult.Taken, Next().Result);
        Assert.Equal(0, fold.Evidence().Lost);
    }

    [Fact]
    public void Counts_that_wait_long_are_put_together_and_none_is_lost()
    {
        var fold = Fold(Batch("slow", 1, 10, []));
        for (var i = 1; i <= 200; i++)
            fold.Take(Batch("a", i, 100 * i, [Bad(100 * i, (ulong)i)], shadow: new(1, 1, 0, 0, i)), Weights);
        Assert.True(fold.Write().Length < 100_000);
        fold.Take(Batch("slow", 2, 1_000_000, []), Weights);
        Assert.Equal((400, 200), (fold.Evidence().Cells[1].Candidate.Requests, fold.Evidence().Cells[1].Candidate.BadRequests));
        Assert.Equal(new ShadowCounts(200, 200, 0, 0, 200), fold.Evidence().Shadow);
    }

    [Fact]
    public void Boots_of_gateways_are_bounded()
    {
        var fold = EvidenceFold.Start(Rollout);
        for (var i = 0; i < EvidenceFold.MostSources; i++)
            fold.Join("a", $"b{i}");
        fold.Join("b", "one more");
        Assert.Equal([("a", $"b{EvidenceFold.MostSources - 1}")], fold.Awaited);
        Assert.Equal(BatchResult.Refused, fold.Take(Batch("b", 1, 10, [], boot: "one more"), Weights).Result);
        // Each boot ended the one before, of which nobody knows what it did not tell; and the batch that was refused.
        Assert.Equal(EvidenceFold.MostSources, fold.Evidence().Lost);
    }

    [Fact]
    public void A_state_is_read_strictly()
    {
        var json = Encoding.UTF8.GetString(Fold(Batch("a", 1, 100, [Bad(50, 1)])).Write());
        Assert.Equal(json, Encoding.UTF8.GetString(EvidenceFold.Read(Encoding.UTF8.GetBytes(json)).Write()));
        foreach (var (from, to) in new[] { ("\"halvings\":0", "\"halvings\":64"), ("\"halvings\":0", "\"halvings\":0,\"more\":1"), ("\"lost\":0,", ""), ("\"users\":\"", "\"users\":\"AAAA") })
        {
            Assert.Contains(from, json);
            Assert.ThrowsAny<JsonException>(() => EvidenceFold.Read(Encoding.UTF8.GetBytes(json.Replace(from, to))));
        }
    }

    private static EventBatch Counted(params ArmCounts[] counts) => Counted([], counts);

    private static EventBatch Counted(ImmutableArray<BadEvent> bad, params ArmCounts[] counts) => new("a", "b1", "production", 2, [new(Rollout, 200, 0, [.. counts], bad, null)]);
}
