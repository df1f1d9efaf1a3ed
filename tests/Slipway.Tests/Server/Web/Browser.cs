using System.Net;
using System.Text.RegularExpressions;

namespace Slipway.Tests.Server.Web;

/// <summary>A browser as the server sees one: it keeps its cookie, names its origin, and sends the forms of the pages that it has loaded.</summary>
internal sealed partial class Browser(TestServer server)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Empty before it is signed in.</summary>
    public string Cookie { get; set; } = "";

    /// <summary>What the forms of the last page carry.</summary>
    public string FormToken { get; set; } = "";

    private string OwnOrigin => server.Url.GetLeftPart(UriPartial.Authority);

    public static async Task<Browser> SignedInAsync(TestServer server, string token)
    {
        var browser = new Browser(server);
        using var answer = await browser.SignInAsync(token);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return browser;
    }

    public async Task<HttpResponseMessage> SignInAsync(string token, string to = "/")
    {
        var answer = await SendAsync("/sign-in", [("token", token), ("to", to)], OwnOrigin, null);
        if (answer.Headers.TryGetValues("Set-Cookie", out var cookies))
            Cookie = cookies.Single().Split(';')[0]["slipway-session=".Length..];
        return answer;
    }

    public async Task<HttpResponseMessage> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", "text/html");
        if (Cookie.Length > 0)
            request.Headers.Add("Cookie", $"slipway-session={Cookie}");
        return await server.Anonymous.SendAsync(request, Stop);
    }

    /// <summary>Loads a page, and keeps what its forms carry.</summary>
    public async Task<string> PageAsync(string path = "/", HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var answer = await GetAsync(path);
        var page = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.StatusCode == expected, $"{path}: {(int)answer.StatusCode}, expected {(int)expected}: {page}");
        FormToken = FormField().Match(page) is { Success: true } found ? found.Groups[1].Value : "";
        return page;
    }

    /// <summary>Sends a form of the page that was loaded last.</summary>
    public Task<HttpResponseMessage> SendAsync(string path, params (string Name, string Value)[] fields) => SendAsync(path, [("form", FormToken), .. fields], OwnOrigin, "same-origin");

    /// <param name="origin">Null for none.</param>
    /// <param name="site">What the browser says of where the form comes from; null for nothing.</param>
    public async Task<HttpResponseMessage> SendAsync(string path, (string Name, string Value)[] fields, string? origin, string? site)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))) };
        request.Headers.Add("Accept", "text/html");
        if (Cookie.Length > 0)
            request.Headers.Add("Cookie", $"slipway-session={Cookie}");
        if (origin is not null)
            request.Headers.Add("Origin", origin == "own" ? OwnOrigin : origin);
        if (site is not null)
            request.Headers.Add("Sec-Fetch-Site", site);
        return await server.Anonymous.SendAsync(request, Stop);
    }

    [GeneratedRegex("name=\"form\" value=\"([0-9a-f]{64})\"")]
    private static partial Regex FormField();
}
