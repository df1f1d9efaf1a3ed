using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Charts;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web;

/// <summary>How pages, downloads and failures are answered to a browser.</summary>
internal sealed class PageAnswers
{
    /// <summary>What a browser may do with a page: load its style, scripts and events from here, and send its forms back here. Source: CSP level 3.</summary>
    public const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly PageRenderer renderer = new();

    /// <summary>The page over what was read for it; or, where one of its charts is asked for by <c>?csv=NAME</c>, that chart's numbers.</summary>
    public async Task ShowAsync<TPage, TModel>(PageCall call, TModel model)
        where TPage : PageOf<TModel>
        where TModel : class
    {
        if (call.Query("csv") is { } name)
        {
            var chart = (model as ICharted)?.Charts.FirstOrDefault(chart => chart.Name == name)
                ?? throw ApiProblem.NotThere("no-chart", $"this page has no numbers of the name '{name}'");
            await WriteAsync(call.Call.Http, StatusCodes.Status200OK, "text/csv; charset=utf-8", chart.Numbers().ToCsv());
            return;
        }

        await ShowAsync<TPage>(call.Call.Http, call.Status, new() { [nameof(PageOf<TModel>.Context)] = call.Context(), [nameof(PageOf<TModel>.Model)] = model });
    }

    public async Task ShowAsync<TPage>(HttpContext http, int status, Dictionary<string, object?> parameters)
        where TPage : IComponent
    {
        http.Response.Headers.ContentSecurityPolicy = Policy;
        await WriteAsync(http, status, "text/html; charset=utf-8", await renderer.RenderAsync<TPage>(parameters));
    }

    /// <param name="context">Null for who is not signed in.</param>
    public Task ShowProblemAsync(HttpContext http, int status, IReadOnlyList<Fault> faults, PageContext? context = null) => ShowAsync<ProblemPage>(
        http, status, new() { [nameof(ProblemPage.Status)] = status, [nameof(ProblemPage.Faults)] = faults.ToImmutableArray(), [nameof(ProblemPage.Context)] = context });

    public Task ShowSignInAsync(HttpContext http, string to, ApiProblem? refusal = null)
    {
        if (refusal?.Status == StatusCodes.Status401Unauthorized)
            http.Response.Headers.WWWAuthenticate = "Bearer";
        return ShowAsync<SignInPage>(http, refusal?.Status ?? StatusCodes.Status200OK, new() { [nameof(SignInPage.Fault)] = refusal?.Message, [nameof(SignInPage.To)] = to });
    }

    /// <summary>See Other: going back or loading again sends no form twice.</summary>
    public static void SendTo(HttpContext http, string path)
    {
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = path;
    }

    private static async Task WriteAsync(HttpContext http, int status, string type, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
    }
}
