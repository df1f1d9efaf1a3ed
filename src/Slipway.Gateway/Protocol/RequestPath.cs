using System.Globalization;
using Slipway.Gateway.Routing;

namespace Slipway.Gateway.Protocol;

internal enum Endpoint
{
    None,
    Live,
    Ready,
    Server,
    Model,
    ModelReady,
    Infer,
    Metrics,
}

/// <summary>Which endpoint a path names, and of which model and version.</summary>
/// <param name="Path">Decoded.</param>
/// <param name="Model">Where the model's name lies in the path; empty without.</param>
/// <param name="Version">Where the version lies in the path; empty without.</param>
/// <remarks>Source: Open Inference Protocol v2, REST, "API". Paths are case-sensitive.</remarks>
internal readonly record struct RequestPath(string Path, Endpoint Endpoint, Range Model, Range Version)
{
    private const string Models = "/v2/models/", Versions = "/versions/";

    public bool NamesModel => !Model.Equals(default);

    public bool NamesVersion => !Version.Equals(default);

    /// <summary>The methods that the endpoint answers, as the Allow header wants them.</summary>
    public string Allow => Endpoint == Endpoint.Infer ? "POST" : "GET, HEAD";

    public static RequestPath Parse(string path)
    {
        if (path.StartsWith(Models, StringComparison.Ordinal))
            return OfModel(path);
        var endpoint = path switch
        {
            "/v2" or "/v2/" => Endpoint.Server,
            "/v2/health/live" => Endpoint.Live,
            "/v2/health/ready" => Endpoint.Ready,
            "/metrics" => Endpoint.Metrics,
            _ => Endpoint.None,
        };
        return new RequestPath(path, endpoint, default, default);
    }

    /// <summary>Looks the path's model and version up.</summary>
    /// <returns>Why there is nothing at the path; null when there is. The route is null only where the path names no model.</returns>
    public string? Find(RoutingTable table, out LiveRoute? route, out ServedVersion? version)
    {
        (route, version) = (null, null);
        if (Endpoint == Endpoint.None && !NamesModel)
            return "there is nothing at this path; the protocol's paths begin with /v2";
        if (!NamesModel)
            return null;
        var model = Path.AsSpan(Model);
        route = table.Find(model);
        if (route is null)
            return $"there is no model '{model}' here; {Has(table)}";
        if (NamesVersion && (version = Find(route, Path.AsSpan(Version))) is null)
            return $"model '{model}' has no version '{Path.AsSpan(Version)}' here; it has {(route.Versions.Count == 0 ? "none" : string.Join(", ", route.Versions.Values.Select(served => $"'{served.Name}'").Order(StringComparer.Ordinal)))}";
        return Endpoint == Endpoint.None ? "there is nothing at this path; a model has /ready and /infer" : null;
    }

    private static RequestPath OfModel(string path)
    {
        var rest = path.AsSpan(Models.Length);
        var end = rest.IndexOf('/');
        var model = new Range(Models.Length, end < 0 ? path.Length : Models.Length + end);
        var tail = end < 0 ? [] : rest[end..];
        Range version = default;
        if (tail.StartsWith(Versions, StringComparison.Ordinal))
        {
            var from = path.Length - tail.Length + Versions.Length;
            tail = tail[Versions.Length..];
            end = tail.IndexOf('/');
            version = new Range(from, end < 0 ? path.Length : from + end);
            tail = end < 0 ? [] : tail[end..];
        }

        var endpoint = tail switch
        {
            "" => Endpoint.Model,
            "/ready" => Endpoint.ModelReady,
            "/infer" => Endpoint.Infer,
            _ => Endpoint.None,
        };
        return new RequestPath(path, endpoint, model, version);
    }

    private static ServedVersion? Find(LiveRoute route, ReadOnlySpan<char> asked)
    {
        if (int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && route.Versions.TryGetValue(number, out var version) && asked.SequenceEqual(version.Name))
            return version;
        foreach (var other in route.Versions.Values)
        {
            if (asked.SequenceEqual(other.Name))
                return other;
        }

        return null;
    }

    /// <summary>Names at most a few: a table may have hundreds.</summary>
    private static string Has(RoutingTable table)
    {
        const int most = 10;
        var names = table.Models.Keys.Order(StringComparer.Ordinal).Take(most).Select(name => $"'{name}'").ToArray();
        return names.Length == 0 ? "this server answers for none yet"
            : $"this server answers for {string.Join(", ", names)}{(table.Models.Count > most ? $" and {table.Models.Count - most} more" : "")}";
    }
}
