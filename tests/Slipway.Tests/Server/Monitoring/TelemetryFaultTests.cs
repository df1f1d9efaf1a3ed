using System.Collections.Immutable;
using System.Net;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Monitoring;
using Slipway.Stats.Sketches;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Monitoring;

/// <summary>Telemetry that is late, twice, out of order, from wrong clocks and restarted gateways, and telemetry that is no telemetry.</summary>
public sealed class TelemetryFaultTests
{
    private const long Hour = 3_600_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_gateway_that_restarts_in_the_middle_of_a_window_is_counted_once(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind);
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)));
        await stage.SendAsync(MonitoringStage.Batch(2, stage.Slice(10)));
        // The new boot begins anew; the old one's last batch comes once more.
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)) with { Boot = "b2" });
        await stage.SendAsync(MonitoringStage.Batch(2, stage.Slice(10)));
        await stage.SendAsync(MonitoringStage.Batch(2, stage.Slice(10)) with { Boot = "b2" });
        var view = await stage.ViewAsync();
        Assert.Equal((40, 0), (Assert.Single(view.Versions).Total.Requests, view.Lost));
        Assert.Equal(40, Assert.Single(view.Versions[0].Windows).Requests);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Batches_that_come_at_once_and_again_are_counted_once_in_every_length(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async gateway =>
        {
            for (var i = 1; i <= 3; i++)
            {
                var batch = MonitoringStage.Batch(i, stage.Slice(10)) with { Gateway = $"g{gateway}" };
                await Task.WhenAll(stage.SendAsync(batch), stage.SendAsync(batch));
            }
        }));
        foreach (var length in WindowLength.All)
            Assert.Equal((length, 240), (length, (await stage.ViewAsync(step: length.Milliseconds)).Versions[0].Total.Requests));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_clock_that_is_an_hour_off_tells_the_time_of_the_server(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind);
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10, at: stage.Now + Hour)), sentAt: stage.Now + Hour);
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10, at: stage.Now - Hour)) with { Gateway = "g2" }, sentAt: stage.Now - Hour);
        var view = await stage.ViewAsync();
        Assert.Equal(20, Assert.Single(Assert.Single(view.Versions).Windows).Requests);
        Assert.Equal([Hour, -Hour], view.Gateways.Select(gateway => gateway.ClockOff!.Value));
        // A clock that is right again is no longer told to be off; one that is off by seconds is not.
        await stage.SendAsync(MonitoringStage.Batch(2), sentAt: stage.Now + 3_000);
        Assert.Null((await stage.ViewAsync()).Gateways[0].ClockOff);
    }

    [Fact]
    public async Task What_comes_from_the_future_is_now_and_what_is_late_is_in_the_windows_that_still_keep_its_time()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(1, at: stage.Now + Hour), stage.Slice(2, at: stage.Now - (3 * Hour)), stage.Slice(4, at: stage.Now - (100 * Hour)), stage.Slice(8, at: stage.Now - (401 * 24 * Hour))));
        Assert.Equal(1, (await stage.ViewAsync(TimeSpan.FromHours(5), 10_000)).Versions[0].Total.Requests);
        Assert.Equal(3, (await stage.ViewAsync(TimeSpan.FromHours(5), 60_000)).Versions[0].Total.Requests);
        var view = await stage.ViewAsync(TimeSpan.FromHours(200), 600_000);
        Assert.Equal(7, view.Versions[0].Total.Requests);
        Assert.Equal(8, (await stage.ViewAsync()).Lost);        // beyond all windows: told, not passed over
    }

    [Fact]
    public async Task A_gap_of_batches_counts_as_lost_and_blocks_nothing()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)));
        Assert.Equal(5, (await stage.SendAsync(MonitoringStage.Batch(5, stage.Slice(10)))).Taken);
        Assert.Equal(6, (await stage.SendAsync(MonitoringStage.Batch(6, stage.Slice(10)) with { Lost = 100 })).Taken);
        var view = await stage.ViewAsync();
        Assert.Equal((30, 103), (view.Versions[0].Total.Requests, view.Lost));
    }

    [Fact]
    public async Task A_slice_that_makes_no_sense_is_lost_alone()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        var good = stage.Slice(10);
        TelemetrySlice[] bad =
        [
            good with { Version = 99 }, good with { Model = "nothing" }, good with { Model = "../etc" }, good with { Version = 0 },
            good with { Requests = -1 }, good with { Requests = 11 }, good with { Bad = [11, 0, 0, 0, 0] }, good with { Bad = [-1, 1, 0, 0, 0] }, good with { Bad = [] },
            good with { Latency = [1, 2, 3] }, good with { Sampled = 11 }, good with { Unkept = -1 }, good with { Start = -5 }, good with { Start = 9_000_000_000_000_000 }, good with { Seconds = 0 },
            good with { Requests = 9_000_000_000_000_000, Latency = [.. Enumerable.Repeat(9_000_000_000_000_000, LatencyBuckets.Count)] },
        ];
        Assert.Equal(1, (await stage.SendAsync(MonitoringStage.Batch(1, [good, .. bad]))).Taken);
        var view = await stage.ViewAsync();
        Assert.Equal(10, Assert.Single(view.Versions).Total.Requests);
        Assert.InRange(view.Lost, bad.Length, bad.Length * 11);
    }

    [Fact]
    public async Task A_batch_that_nobody_could_take_in_is_refused_for_good()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        var batch = MonitoringStage.Batch(1, stage.Slice());
        foreach (var (wrong, status) in new[]
        {
            (batch with { Sequence = 0 }, HttpStatusCode.BadRequest), (batch with { Gateway = "" }, HttpStatusCode.BadRequest), (batch with { Boot = new string('b', 201) }, HttpStatusCode.BadRequest),
            (batch with { Gateway = "g\n1" }, HttpStatusCode.BadRequest), (batch with { Channel = "elsewhere" }, HttpStatusCode.NotFound),
            (batch with { Slices = [.. Enumerable.Repeat(stage.Slice(), TelemetryBatch.MostSlices + 1)] }, HttpStatusCode.BadRequest),
        })
        {
            using var answer = await stage.PostAsync(wrong);
            Assert.Equal(status, answer.StatusCode);
        }

        using var nan = await stage.Gateway.PostAsync("/api/v1/gateway/telemetry", new StringContent("""{"gateway":"g1","boot":"b1","channel":"production","sequence":1,"slices":[],"load":{"cpu":NaN,"processors":1,"loadAverage":null,"memory":0,"inFlight":0},"lost":0}"""), Stop);
        Assert.Equal(HttpStatusCode.BadRequest, nan.StatusCode);
        Assert.Empty((await stage.ViewAsync()).Versions);
    }

    [Fact]
    public async Task A_feature_that_appears_or_changes_its_type_is_counted_and_in_no_figure_and_one_that_vanishes_is_no_drift()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        var fits = Distance(200, [50, 50, 50, 50]);
        var slice = stage.Slice(400) with { Sampled = 400 };
        await stage.SendAsync(MonitoringStage.Batch(1, slice with
        {
            Inputs =
            [
                fits,
                fits with { Name = "invented" },                                                        // appears
                new("carrier", fits.Profile),                                                           // text that became numbers, in other bins
                new("carrier", new(10, 0, [5, 5, 0], new Moments(10, 0, 1, 0.5, 1, 0, 1))),             // numbers in the bins of text
                fits,                                                                                   // twice
                new("distance", new(4, 0, [1, 1, 1], null)),                                            // other bins
                new("distance", new(4, 0, [5, 0, 0, -1], null)),
                new("distance", new(4, 5, [0, 0, 0, 0], null)),
            ],
        }));
        var version = Assert.Single((await stage.ViewAsync()).Versions);
        Assert.Equal(7, version.Misfits);
        Assert.Equal(["distance", "carrier", "probability"], version.Drift.Select(drift => drift.Feature));
        Assert.Equal((DriftVerdict.NoDrift, 200), (version.Drift[0].Verdict, version.Drift[0].Current.Count));
        Assert.Equal((DriftVerdict.InsufficientEvidence, "no value was profiled"), (version.Drift[1].Verdict, version.Drift[1].Distance.Lacks));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Who_borrows_a_boot_on_another_channel_does_not_silence_it(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind);
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)));
        using (var answer = await stage.PostAsync(MonitoringStage.Batch(VersionFeature.MostCounted) with { Channel = "staging" }))
            Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal(2, (await stage.SendAsync(MonitoringStage.Batch(2, stage.Slice(10)))).Taken);
        var view = await stage.ViewAsync();
        Assert.Equal((20, 0), (view.Versions[0].Total.Requests, view.Lost));
    }

    [Fact]
    public async Task A_hole_in_a_list_is_lost_alone_and_keeps_no_other_gateways_telemetry_out()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        var good = stage.Slice(10);
        TelemetrySlice[] holed = [null!, good with { Inputs = [null!] }, good with { Outputs = [null!] }, good with { Predictions = [null!] }, good with { Exemplars = [null!] }];
        var answers = await Task.WhenAll(stage.SendAsync(MonitoringStage.Batch(1, [good, .. holed])), stage.SendAsync(MonitoringStage.Batch(1, good) with { Gateway = "g2" }));
        Assert.Equal([1, 1], answers.Select(answer => answer.Taken));
        var view = await stage.ViewAsync();
        Assert.Equal((20, 41), (Assert.Single(view.Versions).Total.Requests, view.Lost));
    }

    [Fact]
    public async Task What_no_host_and_no_feature_can_have_keeps_no_view_from_being_told()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        var slice = stage.Slice(10) with { Sampled = 10 };
        TelemetrySlice Of(double mean) => slice with { Inputs = [new("distance", new(10, 0, [0, 0, 0, 10], new(10, mean, mean, mean, 1e294, 0, 0)))] };
        var batch = MonitoringStage.Batch(1, Of(1e70), Of(-1e70)) with { Load = new HostLoad(double.MaxValue, int.MaxValue, double.MaxValue, 4_711, 4_712), Lost = 4_713 };
        // As no gateway of ours would write them.
        var text = System.Text.Json.JsonSerializer.Serialize(batch, MonitoringJson.Default.TelemetryBatch);
        foreach (var number in (string[])["4711", "4712", "4713"])
            text = text.Replace(number, "9223372036854775807", StringComparison.Ordinal);
        using (var answer = await stage.Gateway.PostAsync("/api/v1/gateway/telemetry", new StringContent(text), Stop))
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
        var view = await stage.ViewAsync();
        Assert.Equal((20, 2), (view.Versions[0].Total.Requests, view.Versions[0].Misfits));
        Assert.True(view.Gateways[0].Load.Memory > 0);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_gateway_that_counts_without_end_fills_no_window_until_it_cannot_be_told_any_more(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind);
        var endless = stage.Slice(VersionFeature.MostCounted) with
        {
            Sampled = 1,
            Inputs = [new("distance", new(VersionFeature.MostCounted, 0, [VersionFeature.MostCounted, 0, 0, 0], null))],
        };
        for (var i = 1; i <= 20; i++)
            await stage.SendAsync(MonitoringStage.Batch(i, [.. Enumerable.Repeat(endless, TelemetryBatch.MostSlices)]));
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)) with { Gateway = "g2" });
        var view = await stage.ViewAsync();
        Assert.Equal(10, Assert.Single(view.Versions).Total.Requests);
        Assert.Equal(VersionFeature.MostCounted, view.Lost);
    }

    [Fact]
    public void Values_that_are_in_no_bin_do_not_fit_since_drift_would_pass_over_them()
    {
        var feature = VersionFeature.Of(new("regression", MonitoringStage.Signature, MonitoringStage.Reference, ImmutableSortedDictionary<string, Slipway.Documents.Evaluations.Figure>.Empty))[0];
        Assert.NotNull(feature.Fitting(new(10, 2, [2, 2, 2, 2], null)));
        Assert.Null(feature.Fitting(new(1_000, 2, [2, 2, 2, 2], null)));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e300)]
    public void Moments_that_are_no_numbers_or_would_become_none_do_not_fit(double value)
    {
        var feature = VersionFeature.Of(new("regression", MonitoringStage.Signature, MonitoringStage.Reference, ImmutableSortedDictionary<string, Slipway.Documents.Evaluations.Figure>.Empty))[0];
        var good = new Moments(4, 1, 2, 1.5, 1, 0, 1);
        Assert.NotNull(feature.Fitting(new(4, 0, [4, 0, 0, 0], good)));
        foreach (var moments in new[] { good with { Min = value }, good with { Max = value }, good with { Mean = value }, good with { M2 = value }, good with { M3 = value }, good with { M4 = value }, good with { M2 = -1 }, good with { Min = 3 }, good with { Count = 5 } })
            Assert.True(feature.Fitting(new(4, 0, [4, 0, 0, 0], moments)) is null || (value == 1e300 && moments.M2 == 1), $"{moments}");
    }

    [Fact]
    public async Task Whoever_invents_models_versions_features_categories_and_gateways_fills_no_disk()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        for (var i = 1; i <= 30; i++)
        {
            await stage.SendAsync(MonitoringStage.Batch(1, [.. Enumerable.Range(0, 100).Select(bomb => stage.Slice() with
            {
                Model = $"m{i}-{bomb}",
                Version = bomb + 1,
                Inputs = [.. Enumerable.Range(0, 5).Select(feature => new FeatureProfile($"f{i}-{bomb}-{feature}", new(1, 0, [1], null)))],
            })]) with
            { Boot = $"boot{i}" });
        }

        var rows = await stage.Database.ReadAsync(
            async session => (await session.FindAsync<long>("SELECT COUNT(*) FROM windows"), await session.FindAsync<long>("SELECT COUNT(*) FROM telemetry_sources"), await session.FindAsync<long>("SELECT COUNT(*) FROM telemetry_losses")), Stop);
        Assert.Equal((0, 20, 1), rows);
        await stage.Database.ChangeAsync(
            async session =>
            {
                for (var i = 0; i < 999; i++)
                    await TelemetrySources.StoreAsync(session, MonitoringStage.Batch(1) with { Gateway = $"made-up-{i}" }, 1, null, stage.Now);
            },
            Stop);
        using var refused = await stage.PostAsync(MonitoringStage.Batch(1) with { Gateway = "one more" });
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        // Those that are known are still taken in.
        Assert.Equal(2, (await stage.SendAsync(MonitoringStage.Batch(2, stage.Slice()) with { Boot = "boot30" })).Taken);
    }

    [Fact]
    public async Task A_full_disk_makes_gateways_wait_and_stores_nothing_by_half()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)));
        // As SQLite says when no page is left; both databases end a change so.
        await stage.Database.ChangeAsync(session => session.ExecuteAsync("CREATE TRIGGER full BEFORE INSERT ON telemetry_losses BEGIN SELECT RAISE(ABORT, 'disk full'); END"), Stop);
        using (var refused = await stage.PostAsync(MonitoringStage.Batch(2, stage.Slice(10)) with { Lost = 1 }))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("2", refused.Headers.RetryAfter!.ToString());
        }

        Assert.Equal(10, (await stage.ViewAsync()).Versions[0].Total.Requests);
        await stage.Database.ChangeAsync(session => session.ExecuteAsync("DROP TRIGGER full"), Stop);
        await stage.SendAsync(MonitoringStage.Batch(2, stage.Slice(10)) with { Lost = 1 });
        var view = await stage.ViewAsync();
        Assert.Equal((20, 1), (view.Versions[0].Total.Requests, view.Lost));
    }

    [Fact]
    public async Task What_is_known_of_a_gateway_on_one_channel_is_not_forgotten_for_boots_on_another()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)));
        stage.Clock.Step(TimeSpan.FromSeconds(1));
        await stage.Database.ChangeAsync(
            async session =>
            {
                for (var i = 0; i < 30; i++)
                {
                    await TelemetrySources.AdmitAsync(session, "staging", "g1", stage.Now);
                    await TelemetrySources.StoreAsync(session, MonitoringStage.Batch(1) with { Channel = "staging", Boot = $"other-{i}" }, 1, null, stage.Now + i);
                }
            },
            Stop);
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10)));       // once more
        Assert.Equal(10, (await stage.ViewAsync()).Versions[0].Total.Requests);
    }

    [Fact]
    public async Task What_a_server_has_no_room_for_waits_at_the_gateway()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        await using var inbox = new TelemetryInbox(store.Database, TimeProvider.System, _ => { });
        using (var held = inbox.Reserve("service:g", TelemetryInbox.MostBytesOfOne - 10))
        {
            Assert.Equal((503, "telemetry-waits"), Refused("service:g", 11));       // who sends slowly takes no more than its part
            using var other = inbox.Reserve("service:h", TelemetryInbox.MostBytesOfOne);
            Assert.Equal((503, "telemetry-waits"), Refused("service:i", 11));
            using var last = inbox.Reserve("service:i", 10);
            held.Dispose();
            held.Dispose();
            Assert.Equal((503, "telemetry-waits"), Refused("service:g", TelemetryInbox.MostBytesOfOne - 9));
            inbox.Reserve("service:g", TelemetryInbox.MostBytesOfOne - 10).Dispose();
        }

        Assert.Equal(1, (await inbox.TakeInAsync(new ArrivedBatch(MonitoringStage.Batch(1), "service:g", null))).Taken);

        (int, string) Refused(string principal, long length) => Assert.Throws<Slipway.Server.Api.ApiProblem>(() => inbox.Reserve(principal, length)) is var problem ? (problem.Status, problem.Fault.Code) : default;
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Windows_are_deleted_when_their_time_is_over_and_the_long_ones_still_have_what_they_told(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind);
        for (var i = 0; i < 30; i++)
        {
            await stage.SendAsync(MonitoringStage.Batch(i + 1, stage.Slice(10)));
            stage.Clock.Step(TimeSpan.FromSeconds(10));
        }

        stage.Clock.Step(TimeSpan.FromHours(3));
        while (await stage.Database.ChangeAsync(session => Retention.PurgeAsync(session, stage.Now), Stop))
        {
        }

        Assert.Empty((await stage.ViewAsync(TimeSpan.FromHours(4), 10_000)).Versions);
        Assert.Equal(300, (await stage.ViewAsync(TimeSpan.FromHours(4), 60_000)).Versions[0].Total.Requests);
        // Who lets the server choose is shown windows that are there.
        var view = await stage.ViewAsync(TimeSpan.FromMinutes(186), ahead: -TimeSpan.FromMinutes(178));
        Assert.Equal((60_000, 300), (view.Step, view.Versions[0].Total.Requests));
        stage.Clock.Step(TimeSpan.FromDays(401));
        while (await stage.Database.ChangeAsync(session => Retention.PurgeAsync(session, stage.Now), Stop))
        {
        }

        Assert.Equal(0, await stage.Database.ReadAsync(session => session.FindAsync<long>("SELECT COUNT(*) FROM windows"), Stop));
    }

    /// <summary>Of the stage's feature, whose reference has a quarter in each bin.</summary>
    private static FeatureProfile Distance(long count, long[] bins) => new("distance", new(count, 0, [.. bins], new Moments(count, 0, 3_000, 700, 1e6, 0, 1e9)));
}
