using System.Text;
using System.Text.Json;
using Slipway.Documents.Incidents;
using Slipway.Documents.Monitoring;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Replay;
using Slipway.Tests.Runtime.ModelHosts;

namespace Slipway.Tests.Runtime.Replay;

public sealed class ReplayerTests : IDisposable
{
    /// <summary>Half of the hour's share of a day, and twice that for long flights.</summary>
    private const string Script = "def predict(inputs):\n    return {'probability': [[hour[0] / 48 * (2 if distance[0] > 1500 else 1)] for hour, distance in zip(inputs['hour'], inputs['distance'])]}\n";

    private readonly HostedModels models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public async Task Equal_answers_are_the_same_and_others_are_shown_by_size_and_slice()
    {
        var requests = Enumerable.Range(0, 100).Select(i => Request(i, distance: i * 30, hour: i % 24, answer: i % 24 / 48.0)).ToArray();
        var report = await ReplayAsync(Script, requests);
        // Captured answers did not double for long flights: those of 1,530 miles on differ, but for midnight's, whose answer is 0.
        var expected = requests.Index().Count(request => request.Index * 30 > 1500 && request.Index % 24 != 0);
        Assert.Equal((100, expected, 100 - expected, 0), (report.Total.Requests, report.Total.Different, report.Total.Same, report.Total.Failed));
        Assert.Equal(0, report.Slices.Where(slice => slice.Input == "distance").Take(5).Sum(slice => slice.Different));
        Assert.Equal(expected, report.Slices.Where(slice => slice.Input == "distance").Sum(slice => slice.Different));
        Assert.Equal(100, report.Slices.Where(slice => slice.Input == "hour").Sum(slice => slice.Rows));
        Assert.Equal(23 / 48.0, report.Differences["1"], 1e-6);
        Assert.Equal(ReplayReport.MostShown, report.Largest.Length);
        Assert.Equal(23 / 48.0, report.Largest[0].Difference, 1e-6);
    }

    [Fact]
    public async Task The_same_replay_gives_the_same_report_to_the_byte()
    {
        var requests = Enumerable.Range(0, 60).Select(i => Request(i, distance: i * 60, hour: i % 24, answer: 0.1)).ToArray();
        Assert.Equal(Bytes(await ReplayAsync(Script, requests)), Bytes(await ReplayAsync(Script, requests)));
    }

    [Fact]
    public async Task A_wider_tolerance_makes_them_the_same()
    {
        var request = Request(1, 100, 12, 0.26);
        Assert.Equal(1, (await ReplayAsync(Script, [request])).Total.Different);
        Assert.Equal(1, (await ReplayAsync(Script, [request], new Tolerance(0.02, 0))).Total.Same);
    }

    [Fact]
    public async Task What_was_dropped_is_not_asked_and_what_was_masked_is_not_compared()
    {
        var whole = Request(1, 100, 12, 0.25);
        var report = await ReplayAsync(Script, [whole, whole with { Dropped = ["hour"] }, whole with { Masked = ["hour"] }, whole with { Outputs = null }]);
        Assert.Equal(new ReplayCounts(4, 1, 0, 0, 1, 2), report.Total);
    }

    [Fact]
    public async Task A_request_that_the_bundle_does_not_take_and_an_answer_of_another_signature_are_told()
    {
        var whole = Request(1, 100, 12, 0.25);
        var report = await ReplayAsync(Script, [whole with { Inputs = Json("[]") }, Request(2, 100, 99, 0.1), whole with { Outputs = Json("""[{"name":"delay","datatype":"FP32","shape":[1,1],"data":[3]}]""") }]);
        Assert.Equal((2, 1, 1), (report.Total.Failed, report.Total.Different, report.OtherForm));
        Assert.True(report.Differences.IsEmpty && report.Largest.IsEmpty);      // by no number
        Assert.Equal(2, report.Failures.Count);
    }

    [Fact]
    public async Task A_model_that_fails_is_no_sameness()
    {
        var report = await ReplayAsync("def predict(inputs):\n    raise ValueError('no')\n", [Request(1, 100, 12, 0.25)]);
        Assert.Equal((1, 0), (report.Total.Failed, report.Total.Same));
    }

    [Fact]
    public async Task Requests_of_another_model_are_refused() =>
        Assert.Equal("another-model", Assert.Single((await Assert.ThrowsAsync<SlipwayException>(() => ReplayAsync(Script, [Request(1, 100, 12, 0.25) with { Model = "other" }]))).Faults).Code);

    [Theory]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("null")]
    public void A_line_that_is_no_request_is_told_with_its_number(string line)
    {
        var good = JsonSerializer.Serialize(Request(1, 100, 12, 0.25), IncidentJson.Default.CapturedRequest);
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => CaptureReader.Read(new MemoryStream(Encoding.UTF8.GetBytes($"{good}\n{line}\n")), "f.jsonl").ToArray()).Faults);
        Assert.Equal(("capture-malformed", "f.jsonl", 2), (fault.Code, fault.File, fault.Line));
    }

    private async Task<ReplayReport> ReplayAsync(string script, CapturedRequest[] requests, Tolerance? tolerance = null)
    {
        await using var host = await ModelHost.StartAsync(models.Predict(script), models.Options, TestContext.Current.CancellationToken);
        await host.WaitUntilReadyAsync(TestContext.Current.CancellationToken);
        return (await new Replayer(host, tolerance ?? Tolerance.Default).ReplayAsync(requests, TestContext.Current.CancellationToken)) with { Bundle = default };
    }

    private static CapturedRequest Request(int number, double distance, int hour, double answer) => new(
        "flight-delay", 3, Digest.Of([1]), TrafficArm.Stable, PredictionKey.Of("flight-delay", $"r{number}"), 1_000 + number,
        Json(FormattableString.Invariant($$"""[{"name":"distance","datatype":"FP32","shape":[1,1],"data":[{{distance}}]},{"name":"hour","datatype":"INT64","shape":[1,1],"data":[{{hour}}]}]""")),
        Json(FormattableString.Invariant($$"""[{"name":"probability","datatype":"FP32","shape":[1,1],"data":[{{answer}}]}]""")),
        [],
        []);

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement.Clone();

    private static byte[] Bytes(ReplayReport report) => CanonicalJson.Serialize(report, IncidentJson.Default.ReplayReport);
}
