-- Named questions about the lake: `ops query --question NAME`. Each is SQL that both DuckDB and Athena take.

-- revenue-by-day: what each day and country brought in, cancellations subtracted
SELECT CAST(InvoiceDate AS DATE) AS Day, Country, COUNT(*) AS Lines, SUM(Amount) AS Revenue
FROM lines
GROUP BY CAST(InvoiceDate AS DATE), Country
ORDER BY Day, Country;

-- top-customers: the twenty customers with the highest revenue
SELECT CustomerID, COUNT(DISTINCT InvoiceNo) AS Invoices, SUM(Amount) AS Revenue
FROM lines
WHERE CustomerID IS NOT NULL
GROUP BY CustomerID
ORDER BY Revenue DESC, CustomerID
LIMIT 20;

-- returns: the twenty products of which most was returned or cancelled
SELECT StockCode, MAX(Description) AS Description, -SUM(Quantity) AS Returned, -SUM(Amount) AS Amount
FROM lines
WHERE Quantity < 0
GROUP BY StockCode
ORDER BY Returned DESC, StockCode
LIMIT 20;

-- baskets: lines, pieces and revenue of an average invoice, by month
WITH invoices AS (
    SELECT month, InvoiceNo, COUNT(*) AS Lines, SUM(Quantity) AS Pieces, SUM(Amount) AS Revenue
    FROM lines
    WHERE Quantity > 0
    GROUP BY month, InvoiceNo
)
SELECT month, COUNT(*) AS Invoices, AVG(Lines) AS Lines, AVG(Pieces) AS Pieces, AVG(Revenue) AS Revenue
FROM invoices
GROUP BY month
ORDER BY month;

-- repeat-customers: how many customers of each month had bought in an earlier one
WITH firsts AS (
    SELECT CustomerID, MIN(month) AS first_month
    FROM lines
    WHERE CustomerID IS NOT NULL
    GROUP BY CustomerID
),
active AS (
    SELECT DISTINCT CustomerID, month
    FROM lines
    WHERE CustomerID IS NOT NULL
)
SELECT
    active.month,
    COUNT(*) AS Customers,
    SUM(CASE WHEN firsts.first_month < active.month THEN 1 ELSE 0 END) AS Repeated
FROM active
JOIN firsts ON firsts.CustomerID = active.CustomerID
GROUP BY active.month
ORDER BY active.month;

-- invoice: the lines of one invoice, the first of the table; copy it and write another number
SELECT InvoiceNo, StockCode, Description, Quantity, UnitPrice, Amount, CustomerID, Country
FROM lines
WHERE InvoiceNo = (SELECT MIN(InvoiceNo) FROM lines)
ORDER BY StockCode, Occurrence;
