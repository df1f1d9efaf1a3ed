using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Server.Api;
using Slipway.Server.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Monitoring;

/// <summary>What predictions turned out to be, as whoever knows it tells.</summary>
internal sealed class LabelEndpoints(Database database, TimeProvider time)
{
    /// <summary>Bytes of a line: an id of 200 characters, each up to 12 bytes where it is escaped.</summary>
    private const int LongestLine = 4_096;

    /// <summary>Bytes of a call: full of ids as long as they may be, and ordinary ones many times over.</summary>
    private const long BodyLimit = 8 * 1024 * 1024;

    /// <summary>Labels of one change: some tens of milliseconds, so that nobody waits for a file of them.</summary>
    private const int AtOnce = 1_000;

    public IEnumerable<ApiEndpoint> All() => [new("POST", "/api/v1/models/{model}/labels", Permission.Label, TakeInAsync) { BodyLimit = BodyLimit }];

    private async Task TakeInAsync(ApiCall call)
    {
        var (model, channel) = (call.Segment("model"), Require.Channel(call.Query("channel") ?? ReleasePlan.Production));
        var (task, rules) = await database.ReadAsync(session => ExpectedAsync(session, call.Caller, model), call.Cancellation);
        var receipt = LabelReceipt.Empty;
        var labels = new List<(byte[], double)>(AtOnce);
        var lines = 0;
        await foreach (var line in LinesAsync(call.Http.Request.BodyReader, call.Cancellation))
        {
            if (line is { Length: 0 })
                continue;
            if (++lines > PredictionLabel.MostLines)
                throw ApiProblem.Malformed("many-labels", $"the call has more than {PredictionLabel.MostLines} labels", "send the rest in calls of their own; sending labels again changes nothing");
            if (Read(line, task, out var label) is { } problem)
                receipt = receipt.And(LabelReceipt.Empty with { Refused = 1, Problems = [$"line {lines}: {problem}"] });
            else
                labels.Add((Convert.FromHexString(PredictionKey.Of(model, label!.Id)), label.Label));
            if (labels.Count < AtOnce)
                continue;
            receipt = receipt.And(await StoreAsync(model, channel, labels, rules, call.Cancellation));
            labels.Clear();
        }

        if (labels.Count > 0)
            receipt = receipt.And(await StoreAsync(model, channel, labels, rules, call.Cancellation));
        await call.AnswerAsync(receipt, MonitoringJson.Default.LabelReceipt);
    }

    /// <summary>Labels that are stored stay stored when a later part of the call fails: they are told again without harm.</summary>
    private Task<LabelReceipt> StoreAsync(string model, string channel, List<(byte[], double)> labels, LabelRules rules, CancellationToken cancellation) =>
        database.ChangeAsync(session => LabelIntake.TakeInAsync(session, model, channel, labels, rules, time.GetUtcNow().ToUnixTimeMilliseconds()), cancellation);

    /// <exception cref="ApiProblem">There is no such model (404), or it takes no labels (409).</exception>
    private static async Task<(string Task, LabelRules Rules)> ExpectedAsync(Session session, Caller caller, string model)
    {
        await ModelNames.RequireAsync(session, caller, model);
        var last = await VersionTable.LastNumberAsync(session, model);
        var version = (await WatchedVersion.FindAsync(session, model, last))!;
        if (!version.IsLabelled)
            throw ApiProblem.Conflict("task-without-labels", $"version {last} of {model} is for {version.Task ?? "no known task"}, and labels are taken for {WatchedVersion.BinaryClassification} and {WatchedVersion.Regression}");
        if ((await PlanTable.LatestAsync(session, model))?.Plan.Monitor?.Labels is not { } rules)
            throw ApiProblem.Conflict("no-labels-asked", $"the plan of {model} asks for no labels, so no predictions are kept that they could meet", "say monitor: { labels: { within: 7 days } } in slipway.yaml, and `slipway push --plan-only`");
        return (version.Task!, rules);
    }

    /// <returns>What is wrong with the line; the id, which may be a person's, is not repeated.</returns>
    private static string? Read(byte[]? line, string task, out PredictionLabel? label)
    {
        label = null;
        if (line is null)
            return $"it is longer than {LongestLine} bytes";
        try
        {
            label = JsonSerializer.Deserialize(line, MonitoringJson.Default.PredictionLabel);
        }
        catch (JsonException e)
        {
            return $"""it is not a label such as {"{"}"id":"…","label":1{"}"}: {(e.Path is null or "$" ? "no JSON object" : $"see {e.Path}")}""";
        }

        if (label is null || label.Id.Length is 0 or > PredictionKey.LongestId)
            return $"its id is to have 1 to {PredictionKey.LongestId} characters";
        if (!double.IsFinite(label.Label))
            return "its label is no finite number";
        return task == WatchedVersion.BinaryClassification && label.Label is not (0 or 1) ? "its label is neither 0 nor 1, which are those of a binary classification"
            : !QualitySum.Fits(task, 0, label.Label) ? "its label is too large a number" : null;
    }

    /// <summary>Lines as they come, one in memory at a time; null for one that is too long, which is skipped.</summary>
    private static async IAsyncEnumerable<byte[]?> LinesAsync(PipeReader body, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var isTooLong = false;
        while (true)
        {
            var read = await body.ReadAsync(cancellation);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                var line = rest.Slice(0, end);
                yield return isTooLong || line.Length > LongestLine ? null : Trimmed(line);
                (isTooLong, rest) = (false, rest.Slice(rest.GetPosition(1, end)));
            }

            if (read.IsCompleted)
            {
                if (isTooLong || !rest.IsEmpty)
                    yield return isTooLong || rest.Length > LongestLine ? null : Trimmed(rest);
                body.AdvanceTo(rest.End);
                yield break;
            }

            if (rest.Length > LongestLine)
                (isTooLong, rest) = (true, rest.Slice(rest.End));
            body.AdvanceTo(rest.Start, rest.End);
        }
    }

    private static byte[] Trimmed(ReadOnlySequence<byte> line) => line.ToArray().AsSpan().Trim(" \t\r"u8).ToArray();
}
