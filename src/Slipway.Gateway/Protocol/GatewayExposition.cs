using System.Globalization;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Telemetry;

namespace Slipway.Gateway.Protocol;

/// <summary>All metrics of a gateway, as <c>/metrics</c> shows them: what docs/guide/gateway.md lists.</summary>
internal static class GatewayExposition
{
    /// <summary>Of the buckets of <see cref="LatencyBuckets"/> every fourth: ratio 2, from 100 µs to 3.3 s.</summary>
    private const int Step = 4;

    private static readonly string Program = typeof(GatewayExposition).Assembly.GetName().Version!.ToString(3);
    private static readonly AnswerArm[] Arms = Enum.GetValues<AnswerArm>();

    public static byte[] Write(Router router, Traffic traffic)
    {
        var text = new PrometheusText();
        text.Begin("slipway_build_info", "gauge", "1, by the program's version.");
        text.Sample("slipway_build_info", 1, ("version", Program));
        Requests(text, traffic.Metrics);
        Durations(text, traffic.Metrics);
        Load(text, traffic, router.Current);
        Shed(text, traffic.Metrics);
        Shadow(text, traffic.Metrics);
        State(text, router.Current);
        return text.ToUtf8();
    }

    private static void Requests(PrometheusText text, GatewayMetrics metrics)
    {
        const string name = "slipway_requests_total";
        text.Begin(name, "counter", "Requests answered, by HTTP status; 0 stands for one that is none of the usual.");
        foreach (var (model, version, arm) in Cells(metrics))
        {
            for (var i = 0; i < VersionMetrics.Statuses.Length; i++)
            {
                if (version.RequestsOf(arm, i) is > 0 and var count)
                    text.Sample(name, count, ("model", model.Model), ("version", version.Version), ("arm", Name(arm)), ("status", VersionMetrics.Statuses[i].ToString(CultureInfo.InvariantCulture)));
            }
        }
    }

    private static void Durations(PrometheusText text, GatewayMetrics metrics)
    {
        const string name = "slipway_prediction_duration_seconds";
        text.Begin(name, "histogram", "From a request's assignment to the model's answer.");
        foreach (var (model, version, arm) in Cells(metrics))
        {
            var buckets = new long[LatencyBuckets.Count];
            for (var i = 0; i < buckets.Length; i++)
                buckets[i] = version.TimesOf(arm, i);
            if (buckets.Sum() is not (> 0 and var all))
                continue;
            (string, string)[] labels = [("model", model.Model), ("version", version.Version), ("arm", Name(arm))];
            var below = 0L;
            for (var i = 0; i < buckets.Length - 1; i++)
            {
                below += buckets[i];
                if (i % Step == 0)
                    text.Sample(name + "_bucket", below, [.. labels, ("le", PrometheusText.Number(LatencyBuckets.Bounds[i]))]);
            }

            text.Sample(name + "_bucket", all, [.. labels, ("le", "+Inf")]);
            text.Sample(name + "_sum", version.SecondsOf(arm), labels);
            text.Sample(name + "_count", all, labels);
        }
    }

    private static void Load(PrometheusText text, Traffic traffic, RoutingTable table)
    {
        var models = table.Models.Keys.Order(StringComparer.Ordinal).Select(model => (Model: model, traffic.Of(model).Limit)).ToArray();
        text.Begin("slipway_requests_in_flight", "gauge", "Requests that have a place at their model.");
        foreach (var (model, limit) in models)
            text.Sample("slipway_requests_in_flight", limit.Taken, ("model", model));
        text.Begin("slipway_requests_queued", "gauge", "Requests that wait for a place at their model.");
        foreach (var (model, limit) in models)
            text.Sample("slipway_requests_queued", limit.Waiting, ("model", model));
    }

    private static void Shed(PrometheusText text, GatewayMetrics metrics)
    {
        const string name = "slipway_requests_shed_total";
        text.Begin(name, "counter", "Requests turned away although nothing was wrong with them.");
        foreach (var model in metrics.Models)
        {
            foreach (var reason in Enum.GetValues<ShedReason>())
            {
                if (model.ShedOf(reason) is > 0 and var count)
                    text.Sample(name, count, ("model", model.Model), ("reason", Name(reason)));
            }
        }
    }

    private static void Shadow(PrometheusText text, GatewayMetrics metrics)
    {
        const string name = "slipway_shadow_requests_total";
        text.Begin(name, "counter", "Copies of requests for a shadowed candidate, by what came of them.");
        foreach (var model in metrics.Models)
        {
            foreach (var outcome in Enum.GetValues<ShadowOutcome>())
            {
                if (model.ShadowOf(outcome) is > 0 and var count)
                    text.Sample(name, count, ("model", model.Model), ("outcome", Name(outcome)));
            }
        }
    }

    private static void State(PrometheusText text, RoutingTable table)
    {
        text.Begin("slipway_state_revision", "gauge", "Revision of the state that is served; 0 before the first.");
        text.Sample("slipway_state_revision", table.Revision);
        var routes = table.Models.Values.OrderBy(route => route.Model, StringComparer.Ordinal).ToArray();
        text.Begin("slipway_version_ready", "gauge", "1 while the version can answer, by what it is to its model.");
        foreach (var route in routes)
        {
            foreach (var version in route.Versions.Values.OrderBy(version => version.Version.Number))
            {
                var role = ReferenceEquals(version, route.Stable) ? "stable" : ReferenceEquals(version, route.Rollout?.Candidate) ? "candidate" : "warm";
                text.Sample("slipway_version_ready", version.Host.NotReady is null ? 1 : 0, ("model", route.Model), ("version", version.Name), ("role", role));
            }
        }

        text.Begin("slipway_rollout_weight_ratio", "gauge", "The candidate's share of the requests.");
        foreach (var route in routes)
        {
            if (route.Rollout is { } rollout)
                text.Sample("slipway_rollout_weight_ratio", rollout.Route.Weight / (double)Weight.All, ("model", route.Model), ("version", rollout.Candidate.Name), ("rollout", rollout.Route.Id));
        }
    }

    private static IEnumerable<(ModelMetrics Model, VersionMetrics Version, AnswerArm Arm)> Cells(GatewayMetrics metrics) =>
        from model in metrics.Models
        from version in model.Versions
        from arm in Arms
        select (model, version, arm);

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
